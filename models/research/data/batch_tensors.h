// Tiles and tilings as the tensors of a training or evaluation batch.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>

#include "models/serving/tile.h"

namespace models {

// `tiles` are 8-bit tiles of `shape` one after another; `tilings` names grid*grid of them (or
// kBlank) for each collage, row by row.  Returns float [collages, channels, grid*height,
// grid*width], normalised, channels-last in memory.
torch::Tensor assemble(std::span<const std::uint8_t> tiles, const TileShape& shape,
                       const Normalisation& normalisation, std::span<const std::int64_t> tilings,
                       int grid);

// int64 [slots]: the labels of the images in `tilings`, kBlank for blank slots.
torch::Tensor gather_labels(std::span<const int> labels, std::span<const std::int64_t> tilings);

}  // namespace models
