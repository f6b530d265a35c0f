// Turns tiles and tilings into what a network eats.
#pragma once

#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "models/data/dataset.h"

namespace models {

// `tiles` are 8-bit tiles of `shape` one after another; `tilings` names grid*grid of them (or
// kBlank) for each collage, row by row.  Returns float [collages, channels, grid*height,
// grid*width], normalised, channels-last in memory.
torch::Tensor assemble(std::span<const std::uint8_t> tiles, const TileShape& shape,
                       const Normalisation& normalisation, std::span<const std::int64_t> tilings,
                       int grid);

// What each 8-bit value becomes when it is normalised, a table for each channel.
using ValueTables = std::vector<std::array<float, 256>>;
ValueTables tables_of(const Normalisation& normalisation);

// One whole picture for inference: float [1, channels, height, width], normalised and contiguous,
// for a fused network makes contiguous first what is not.  Requires shape.bytes() pixels and a
// table a channel.
torch::Tensor planes_of(std::span<const std::uint8_t> pixels, const TileShape& shape,
                        const ValueTables& tables);

// int64 [slots]: the labels of the images in `tilings`, kBlank for blank slots.
torch::Tensor gather_labels(std::span<const int> labels, std::span<const std::int64_t> tilings);

// The numbers of a tensor, row by row however they lie in memory.
std::vector<float> values_of(const torch::Tensor& tensor);

}  // namespace models
