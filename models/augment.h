// Small random changes to a training tile: mirrored, shifted, and partly covered.
//
// Pure: what is drawn depends on the generator alone.
#pragma once

#include <cstdint>
#include <span>

#include "models/dataset.h"
#include "wire/random.h"

namespace models {

struct Augmentation {
  double mirror = 0.5;           // Probability of left and right exchanged.
  int shift_max = 2;             // Pixels either way, each axis on its own; uncovered pixels are 0.
  double erase = 0.35;           // Probability that a rectangle is overwritten with noise
                                 // (random erasing, Zhong et al. 2020).
  double erase_side_min = 0.15;  // Sides of that rectangle as shares of the tile's.
  double erase_side_max = 0.5;
};

// Writes a changed copy of `tile` to `out`.  Requires both of shape.bytes() and not to overlap.
void augment(std::span<const std::uint8_t> tile, std::span<std::uint8_t> out,
             const TileShape& shape, const Augmentation& policy, wire::Rng& rng);

}  // namespace models
