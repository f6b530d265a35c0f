#include "models/serving/network.h"

#include <torch/script.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "machine/random.h"
#include "models/serving/blas.h"
#include "models/serving/first_line.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/heads/decode.h"
#include "models/serving/heads/detect.h"
#include "models/serving/input_tensor.h"
#include "models/serving/output_tensor.h"
#include "models/serving/script.h"
#include "models/serving/served_script.h"
#include "wire/check.h"

namespace models {
namespace {

// What LibTorch and scripts warn of they repeat at every inference, for years: GoogLeNet that it
// returns a tuple, 28 times.  A stage's log is for people.
class Silence : public c10::WarningHandler {
 public:
  void process(const c10::SourceLocation&, const std::string&, bool) override {}
};

// What LibTorch keeps for each calling thread: a warning handler, and OpenMP's limit of threads.  A
// calling thread without a limit would get a pool of its own, as large as there are cores, that
// spins between answers.
void prepare_thread() {
  static auto* const silence = new Silence;  // For threads that outlive main().
  thread_local const bool prepared =
      (at::set_num_threads(1), c10::Warning::set_warning_handler(silence), true);
  (void)prepared;
}

// Grey, and noise of two seeds: kernels that are wrong for some channels show it with any picture.
std::vector<torch::Tensor> probes_of(const Manifest& manifest, const ValueTables& tables) {
  std::vector<std::uint8_t> pixels(manifest.input().bytes(), 128);
  std::vector<torch::Tensor> probes = {planes_of(pixels, manifest.input(), tables)};
  for (const std::uint64_t seed : {1, 2}) {
    machine::Rng rng(seed);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(rng.below(256));
    probes.push_back(planes_of(pixels, manifest.input(), tables));
  }
  return probes;
}

ServedScript load_served(const Manifest& manifest, const ValueTables& tables) {
  prepare_thread();
  // Once, for another network may be loaded while one answers.  The profiling executor would
  // compile the network again during the first calls.
  static const bool set = (use_one_blas_thread(), torch::jit::getExecutorMode() = false, true);
  (void)set;
  LoadedScript loaded = load_script(manifest.weights, manifest.sha256);
  try {
    ServedScript served = serve_script(loaded.module, manifest.output_form,
                                       manifest.class_names.size(), probes_of(manifest, tables));
    if (served.numbers != manifest.outputs()) {
      throw std::runtime_error("returns " + served.returned + ", its manifest promises " +
                               std::to_string(manifest.outputs()) + " numbers");
    }
    std::ranges::move(loaded.remarks, std::back_inserter(served.warnings));
    return served;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    std::string text = manifest.weights.string() + ": " + first_line(error);
    for (const std::string& remark : loaded.remarks) text += "; " + remark;
    throw std::runtime_error(text);
  }
}

}  // namespace

struct Network::Script {
  explicit Script(const Manifest& manifest)
      : tables(tables_of(manifest.normalisation)), served(load_served(manifest, tables)) {}

  ValueTables tables;  // Of the manifest's normalisation.
  // Its module's forward() is not const, though an evaluated network does not change.
  mutable ServedScript served;
};

Network::Network(Manifest manifest)
    : manifest_(std::move(manifest)), script_(std::make_unique<Script>(manifest_)) {}

Network::~Network() = default;

std::string Network::form() const { return word_of(script_->served.form); }
std::string Network::how_served() const { return summary(script_->served); }
const std::vector<std::string>& Network::warnings() const { return script_->served.warnings; }

Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

std::vector<float> Network::logits(std::span<const std::uint8_t> pixels) const {
  std::vector<float> raw = raw_output(pixels);
  if (raw.empty() || manifest_.head != Head::detect) return raw;
  return slot_logits(raw, manifest_.detect, manifest_.layout());
}

std::vector<float> Network::raw_output(std::span<const std::uint8_t> pixels) const {
  COLLAGE_CHECK(pixels.size() == manifest_.input().bytes());
  prepare_thread();
  const c10::InferenceMode inference;
  try {
    const torch::Tensor input = planes_of(pixels, manifest_.input(), script_->tables);
    return values_of(logits_of(script_->served.module.forward({input}), manifest_.output_form));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    // By its text alone is a lack of memory known from what else a network may throw.
    if (std::string_view(error.what()).find("allocate memory") != std::string_view::npos) {
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
