// Plain numbers as a network's input tensor, and an output tensor as plain numbers.
#pragma once

#include <torch/torch.h>

#include <span>
#include <vector>

#include "models/serving/tile.h"

namespace models {

// Float [n, channels, height, width], contiguous; borrows the numbers (planes.h), which must be
// those of n inputs of that shape, one after another.
torch::Tensor tensor_of(std::span<const float> planes, const TileShape& shape);

// The numbers of a tensor as float, row by row, whatever its memory format.
std::vector<float> values_of(const torch::Tensor& tensor);

}  // namespace models
