// The augmented tiles of an epoch, and what a teacher says of each.
//
// A teacher costs more than a pupil's own step, so a pool may serve several epochs: every epoch
// tiles it anew.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "models/augment.h"
#include "models/dataset.h"
#include "wire/random.h"

namespace models {

// Float [B, C, tile_height, tile_width] normalised tiles to logits [B, classes].
using Teacher = std::function<torch::Tensor(const torch::Tensor&)>;

struct TilePool {
  std::vector<std::uint8_t> pixels;  // As many tiles as the data set has, in its order.
  torch::Tensor teacher;             // Logits [images, classes]; undefined without a teacher.
};

// `teacher` may be empty.
TilePool make_tiles(const Dataset& data, const Augmentation& augmentation, const Teacher& teacher,
                    wire::Rng rng);

// The teacher's logits [slots, classes] of the images in `tilings`, anything at blank slots;
// undefined without a teacher.
torch::Tensor teacher_of(const TilePool& pool, std::span<const std::int64_t> tilings);

}  // namespace models
