#include "models/serving/input_tensor.h"

namespace models {

torch::Tensor tensor_of(std::span<const float> planes, const TileShape& shape) {
  const std::size_t count = planes.size() / shape.bytes();
  // LibTorch has no tensor of constant numbers; a network does not write to its input.
  return torch::from_blob(
      const_cast<float*>(planes.data()),
      {static_cast<std::int64_t>(count), shape.channels, shape.height, shape.width});
}

std::vector<float> values_of(const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.to(torch::kFloat).contiguous();
  const auto* values = whole.data_ptr<float>();
  return {values, values + whole.numel()};
}

}  // namespace models
