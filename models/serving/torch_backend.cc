#include "models/serving/torch_backend.h"

#include <torch/script.h>

#include <iterator>
#include <new>
#include <stdexcept>

#include "models/serving/blas.h"
#include "models/serving/first_line.h"
#include "models/serving/input_tensor.h"
#include "models/serving/output_tensor.h"
#include "models/serving/script.h"
#include "models/serving/served_script.h"
#include "models/serving/together.h"

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

Bfloat16 bfloat16_of(Precision precision, const Bfloat16Cost& cost) {
  if (precision == Precision::bfloat16) return Bfloat16::must;
  const bool may = precision == Precision::automatic && negligible(cost) && computes_bfloat16();
  return may ? Bfloat16::may : Bfloat16::no;
}

class TorchBackend : public Backend {
 public:
  TorchBackend(const Manifest& manifest, LoadedScript loaded, const Probes& probes,
               const ServingPolicy& policy)
      : input_(manifest.input()), output_(manifest.output_form) {
    std::vector<torch::Tensor> tensors;
    for (const auto& probe : probes) tensors.push_back(tensor_of(probe, input_));
    served_ = serve_script(loaded.module, output_, manifest.class_names.size(), tensors,
                           bfloat16_of(policy.precision, manifest.bfloat16));
    together_ =
        quickest_together([this](const torch::Tensor& input) { return served_.forward(input); },
                          output_, tensors, policy.together_max);
    std::ranges::move(loaded.remarks, std::back_inserter(served_.warnings));
  }

  std::vector<float> run(std::span<const float> planes) override {
    prepare_thread();
    const c10::InferenceMode inference;
    return values_of(logits_of(served_.forward(tensor_of(planes, input_)), output_));
  }
  std::size_t together() const override { return together_.count; }
  std::size_t numbers() const override { return served_.numbers; }
  std::string returned() const override { return served_.returned; }
  bool sums_to_one() const override { return served_.sums_to_one; }
  std::string form() const override { return word_of(served_.form); }
  std::string how_served() const override { return summary(served_) + summary(together_); }
  const std::vector<std::string>& warnings() const override { return served_.warnings; }

 private:
  TileShape input_;
  OutputForm output_;
  ServedScript served_;
  Together together_;
};

}  // namespace

std::unique_ptr<Backend> load_torch_backend(const Manifest& manifest, const Probes& probes,
                                            const ServingPolicy& policy) {
  prepare_thread();
  // Once, for another network may be loaded while one answers.  The profiling executor would
  // compile the network again during the first calls.
  static const bool set = (use_one_blas_thread(), torch::jit::getExecutorMode() = false, true);
  (void)set;
  LoadedScript loaded = load_script(manifest.weights, manifest.sha256);
  std::string remarks;
  for (const std::string& remark : loaded.remarks) remarks += "; " + remark;
  try {
    return std::make_unique<TorchBackend>(manifest, std::move(loaded), probes, policy);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw std::runtime_error(manifest.weights.string() + ": " + first_line(error) + remarks);
  }
}

}  // namespace models
