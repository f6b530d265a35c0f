// A manifest: all that a stage must know of a model, its weights file, its input and its classes.
//
// It is a small YAML file next to the folder of weights; manifest_reader.h reads one and
// manifest_text() writes one.  A plain value; no torch, no I/O here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "imaging/layout.h"
#include "imaging/preprocess.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/heads/detect.h"
#include "models/serving/output_form.h"
#include "models/serving/serving_policy.h"
#include "models/serving/tile.h"
#include "wire/message.h"

namespace models {

enum class Kind : std::uint8_t {
  single,
  collage,
  parity,  // A baseline for `compare` only: no stage serves it.
};

inline constexpr std::size_t kSampleImages = 1000;

// How the weights came to be and what they measured; for people, not for serving.
struct Origin {
  std::string command;
  std::uint64_t seed = 0;
  int threads = 0;
  double held_back_accuracy = 0;  // Shares, 0..1.
  double test_accuracy = 0;
  double test_ece = 0;
  int sample_right = 0;  // Right answers to the first kSampleImages test images.
  double mmac = 0;
  std::int64_t parameters = 0;
  bool operator==(const Origin&) const = default;
};

struct Manifest {
  std::string name;
  Kind kind = Kind::single;
  std::string dataset;
  int grid = 1;                      // Tiles per side; 1 for a single (wire::Model: 0).
  Head head = Head::grid;            // Head::detect only for a collage.
  DetectShape detect{};              // For a detect head only.
  std::string parity_code{};         // For a parity model: "addition" or "concatenation".
  int parity_images = 0;             // For a parity model: images in one input.
  std::filesystem::path weights;     // TorchScript or ONNX; as written relative to the manifest.
  std::string sha256;                // Hash of the weights, 64 lower-case hex digits.
  std::string version;               // Short, from the name and the sha256.
  TileShape tile;                    // What a picture becomes.
  imaging::Preprocess preprocess{};  // How it becomes that.
  Normalisation normalisation;       // One value for each channel.
  OutputForm output_form{};          // What the network returns.
  Calibration calibration;           // Fitted on the held-back images.
  Bfloat16Cost bfloat16{};           // Unless it has been measured, automatic precision is float.
  std::vector<std::string> class_names;
  Origin origin;

  int slots() const { return grid * grid; }
  imaging::Grid layout() const {
    return {.side = grid, .tile_width = tile.width, .tile_height = tile.height};
  }
  // The shape of the network's input: a tile, or the whole collage.
  TileShape input() const {
    return {.width = grid * tile.width, .height = grid * tile.height, .channels = tile.channels};
  }
  // What imaging::decode shall make of a picture.
  imaging::Target target() const {
    return {.width = tile.width,
            .height = tile.height,
            .channels = tile.channels,
            .preprocess = preprocess};
  }
  // How many numbers the network outputs for one input.
  std::size_t outputs() const;
  // What a stage announces in its hello.
  wire::Model model() const;
};

// Whether the same pictures get the same answers, probabilities and versions.
bool answer_alike(const Manifest& a, const Manifest& b);

// "single-0123abcd", "collage-3x3-0123abcd", "detect-3x3-..", "parity-..": what users see with each
// answer.
std::string version_of(Kind kind, Head head, int grid, const std::string& sha256);

// A text as a YAML scalar, in quotes.
std::string quoted(const std::string& text);

// The section `preprocess` of a manifest's text; empty for the defaults.
std::string preprocess_text(const imaging::Preprocess& preprocess);

// The YAML text of a manifest, which load_manifest() reads back to an equal one.
std::string manifest_text(const Manifest& manifest);

}  // namespace models
