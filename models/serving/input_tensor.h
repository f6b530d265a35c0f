// Plain numbers as a network's input tensor, and an output tensor as plain numbers.
#pragma once

#include <torch/torch.h>

#include <span>
#include <vector>

#include "models/serving/tile.h"

namespace models {

// Float [1, channels, height, width], contiguous; borrows the numbers (planes.h), which must be of
// that shape.
torch::Tensor tensor_of(std::span<const float> planes, const TileShape& shape);

// The numbers of a tensor as float, row by row, whatever its memory format.
std::vector<float> values_of(const torch::Tensor& tensor);

}  // namespace models
