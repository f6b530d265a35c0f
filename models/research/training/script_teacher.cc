#include "models/research/training/script_teacher.h"

#include <stdexcept>

#include "models/serving/first_line.h"
#include "models/serving/output_tensor.h"
#include "models/serving/script.h"

namespace models {
namespace {

// Runs one black tile through the script.
void check_output(torch::jit::Module& script, const Manifest& m) {
  const torch::NoGradGuard no_grad;
  torch::Tensor output;
  try {
    output =
        logits_of(script.forward({torch::zeros({1, m.tile.channels, m.tile.height, m.tile.width})}),
                  m.output_form);
  } catch (const std::exception& error) {  // c10's, or an output that is no tensor.
    throw std::runtime_error(m.weights.string() + ": does not take a " +
                             std::to_string(m.tile.width) + "x" + std::to_string(m.tile.height) +
                             " tile of " + std::to_string(m.tile.channels) +
                             " channels and give a tensor: " + first_line(error));
  }
  if (!output.isfinite().all().item<bool>()) {
    throw std::runtime_error(m.weights.string() +
                             ": gives scores that are not finite (NaN or infinite) for black");
  }
  const auto classes = static_cast<std::int64_t>(m.class_names.size());
  if (output.dim() != 2 || output.size(0) != 1 || output.size(1) != classes) {
    throw std::runtime_error(m.weights.string() + ": gives " + std::to_string(output.numel()) +
                             " numbers for a tile, but its manifest names " +
                             std::to_string(classes) + " classes");
  }
}

}  // namespace

Teacher script_teacher(const Manifest& manifest, const std::filesystem::path& cache) {
  if (manifest.kind != Kind::single) {
    throw std::runtime_error(manifest.name + ": is no single-image model, so it cannot teach");
  }
  torch::jit::Module script =
      torch::jit::freeze(load_script(manifest.weights, manifest.sha256).module);
  check_output(script, manifest);
  return {.answer =
              [script, form = manifest.output_form](const torch::Tensor& tiles) mutable {
                return logits_of(script.forward({tiles}), form);
              },
          .cache = cache.empty() ? cache : cache / manifest.version};
}

}  // namespace models
