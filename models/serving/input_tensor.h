// A picture as a network's input tensor, and an output tensor as plain numbers.
#pragma once

#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "models/serving/tile.h"

namespace models {

// The normalised value of each 8-bit value, a table for each channel of the network, and the
// channel of a picture that it is made of.
struct ValueTable {
  std::size_t source = 0;
  std::array<float, 256> values{};
};
using ValueTables = std::vector<ValueTable>;
ValueTables tables_of(const Normalisation& normalisation);

// One whole picture for inference: float [1, channels, height, width], normalised and contiguous.
// Requires shape.bytes() pixels and a table for each channel.
torch::Tensor planes_of(std::span<const std::uint8_t> pixels, const TileShape& shape,
                        const ValueTables& tables);

// The numbers of a tensor as float, row by row, whatever its memory format.
std::vector<float> values_of(const torch::Tensor& tensor);

}  // namespace models
