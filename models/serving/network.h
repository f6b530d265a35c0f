// A trained model ready for inference, as classifier and collage stages use it.
//
// Loading verifies the hash of the weights, chooses the fastest form of the network that answers as
// the exported one does (served_script.h, onnx_backend.h) and warms it up, so that the first answer
// is as quick as the next.  It also sets LibTorch or OpenCV, for the whole process, to one thread:
// a stage is sized for one core, and two thread pools would compete for it.  One thread at a time
// may use a Network.  No library's types in this header.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/picture.h"
#include "machine/machine.h"
#include "models/serving/manifest.h"
#include "wire/message.h"

namespace models {

// What the version of a network ends with where it computes in bfloat16.
inline constexpr std::string_view kBfloat16Suffix = "+bf16";

class Network {
 public:
  // Throws std::runtime_error with one line that names the file: weights missing, not of the
  // manifest's hash, neither TorchScript nor ONNX, with another output than grid*grid*classes
  // numbers, or with one that is not finite (NaN).
  explicit Network(Manifest manifest, const ServingPolicy& policy = {});
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  const Manifest& manifest() const { return manifest_; }
  // That of the manifest, with "+bf16" if the network computes in that.
  std::string version() const;
  // "plain", "frozen", "fused" or "bfloat16"; the same in a line with the time of each form and why
  // another is not served; and what a user should look at before trusting the answers, each a
  // clause.
  std::string form() const;
  std::string how_served() const;
  const std::vector<std::string>& warnings() const;
  // The least time that an inference of one input needed the processor, of three when the network
  // was loaded.
  wire::Duration inference_time() const;
  // How many pictures at once take the least time each; at most policy.together_max.
  std::size_t together() const;

  // The k most probable classes of one picture, best first, the lower class among equals.  Scores
  // that are not finite give Reason::bad_scores and no predictions; nothing is thrown.  Requires a
  // single, and a picture of exactly input().
  wire::Verdict classify(const imaging::Picture& picture, std::size_t top_k) const;
  // The same of several pictures, in order, in inferences of up to together() of them.  What fails
  // for some together is done again for each alone.
  std::vector<wire::Verdict> classify(std::span<const imaging::Picture> pictures,
                                      std::size_t top_k) const;

  // The same for each cell of a finished collage; `canvas` holds the pixels of an imaging canvas of
  // manifest().layout().  A cell that is blank or whose scores are not finite has no predictions;
  // a failed inference has no cells at all.  Requires a collage, input().bytes() bytes and a flag
  // for each slot.
  machine::Cells classify_collage(std::span<const std::uint8_t> canvas,
                                  const std::vector<bool>& blank, std::size_t top_k) const;

  // Logits, slots x classes, uncalibrated; a slot for which a detect head has no box has NaNs.
  // Empty if the inference failed.  Requires input().bytes() bytes.
  std::vector<float> logits(std::span<const std::uint8_t> pixels) const;

 private:
  struct Loaded;

  wire::Duration time_inference() const;
  // Empty if the inference has failed.  Requires together() pictures at most.
  std::vector<wire::Verdict> classify_together(std::span<const imaging::Picture> pictures,
                                               std::size_t top_k) const;
  std::vector<float> raw_output(std::span<const float> planes) const;

  Manifest manifest_;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace models
