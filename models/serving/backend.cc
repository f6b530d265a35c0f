#include "models/serving/backend.h"

#include <stdexcept>

#include "models/serving/onnx_backend.h"
#include "models/serving/torch_backend.h"

namespace models {

std::unique_ptr<Backend> load_backend(const Manifest& manifest, const Probes& probes,
                                      const ServingPolicy& policy) {
  if (!is_onnx(manifest.weights)) return load_torch_backend(manifest, probes, policy);
  if (policy.precision == Precision::bfloat16) {
    throw std::runtime_error(manifest.weights.string() +
                             ": is ONNX, which is not served in bfloat16 (models.precision)");
  }
  return load_onnx_backend(manifest, probes);
}

void require_count(const Manifest& manifest, const Backend& backend) {
  if (backend.numbers() == manifest.outputs()) return;
  throw std::runtime_error(manifest.weights.string() + ": returns " + backend.returned() +
                           ", its manifest promises " + std::to_string(manifest.outputs()) +
                           " numbers");
}

}  // namespace models
