#include "models/serving/network.h"

#include <torch/script.h>

#include <new>
#include <stdexcept>
#include <string_view>

#include "models/serving/heads/calibration.h"
#include "models/serving/heads/decode.h"
#include "models/serving/heads/detect.h"
#include "models/serving/input_tensor.h"
#include "models/serving/script.h"
#include "wire/check.h"

namespace models {
namespace {

// The second call of a fused network still settles its kernels; from the third times are steady.
constexpr int kWarmUpCalls = 4;

// OpenMP has a thread limit for each calling thread.  A calling thread without a limit would get a
// pool of its own, as large as there are cores, that spins between answers.
void use_one_thread() {
  thread_local const bool limited = (at::set_num_threads(1), true);
  (void)limited;
}

torch::jit::Module load_fused(const Manifest& manifest) {
  use_one_thread();
  // The profiling executor would compile the network again during the first calls.
  torch::jit::getExecutorMode() = false;
  torch::jit::Module script = load_script(manifest.weights, manifest.sha256);
  return torch::jit::optimize_for_inference(script);
}

}  // namespace

struct Network::Script {
  // Its forward() is not const, though an evaluated network does not change.
  mutable torch::jit::Module module;
  ValueTables tables;  // Of the manifest's normalisation.
};

Network::Network(Manifest manifest)
    : manifest_(std::move(manifest)),
      script_(new Script{load_fused(manifest_), tables_of(manifest_.normalisation)}) {
  const std::vector<std::uint8_t> grey(manifest_.input().bytes(), 128);
  for (int i = 0; i < kWarmUpCalls; ++i) {
    if (raw_output(grey).size() != manifest_.outputs()) {
      throw std::runtime_error(manifest_.weights.string() + ": does not give the " +
                               std::to_string(manifest_.outputs()) +
                               " numbers that its manifest promises");
    }
  }
}

Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

std::vector<float> Network::logits(std::span<const std::uint8_t> pixels) const {
  std::vector<float> raw = raw_output(pixels);
  if (raw.empty() || manifest_.head != Head::detect) return raw;
  return slot_logits(raw, manifest_.detect, manifest_.layout());
}

std::vector<float> Network::raw_output(std::span<const std::uint8_t> pixels) const {
  COLLAGE_CHECK(pixels.size() == manifest_.input().bytes());
  use_one_thread();
  const c10::InferenceMode inference;
  try {
    const torch::Tensor input = planes_of(pixels, manifest_.input(), script_->tables);
    return values_of(script_->module.forward({input}).toTensor());
  } catch (const c10::Error& error) {
    // By its text alone is a lack of memory known from what else a network may throw.
    if (std::string_view(error.what_without_backtrace()).find("allocate memory") !=
        std::string_view::npos) {
      throw std::bad_alloc();
    }
    return {};  // As a network of a user's own may do on some input; the caller answers for it.
  }
}

wire::Verdict Network::classify(const imaging::Picture& picture, std::size_t top_k) const {
  COLLAGE_CHECK(manifest_.kind == Kind::single);
  const std::vector<float> row = logits(picture.pixels);
  if (row.empty()) return {.predictions = {}, .reason = wire::Reason::bad_scores};
  wire::Predictions best = top_of(softmax_rows(row, row.size(), manifest_.calibration), top_k);
  const wire::Reason reason = best.empty() ? wire::Reason::bad_scores : wire::Reason::none;
  return {.predictions = std::move(best), .reason = reason};
}

machine::Cells Network::classify_collage(std::span<const std::uint8_t> canvas,
                                         const std::vector<bool>& blank, std::size_t top_k) const {
  COLLAGE_CHECK(manifest_.kind == Kind::collage);
  COLLAGE_CHECK(blank.size() == static_cast<std::size_t>(manifest_.slots()));
  const std::vector<float> all = logits(canvas);
  if (all.empty()) return {};
  const std::size_t classes = manifest_.class_names.size();
  return {decode_grid(softmax_rows(all, classes, manifest_.calibration), blank, top_k)};
}

}  // namespace models
