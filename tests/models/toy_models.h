// Data and networks small enough to train and load within a unit test.
#pragma once

#include <string>

#include "machine/random.h"
#include "models/research/data/dataset.h"
#include "models/research/nets/architecture.h"

namespace models {

// Four classes of 8x8 tiles: the bright quarter of a noisy tile is its class.
inline Dataset toy_data(std::size_t images, std::uint64_t seed) {
  Dataset data{.name = "toy",
               .shape = {.width = 8, .height = 8, .channels = 1},
               .class_names = {"top left", "top right", "bottom left", "bottom right"},
               .normalisation = {.mean = {0.4}, .deviation = {0.3}},
               .pixels = {},
               .labels = {}};
  machine::Rng rng(seed);
  for (std::size_t i = 0; i < images; ++i) {
    const int label = static_cast<int>(rng.below(4));
    data.labels.push_back(label);
    for (int p = 0; p < 64; ++p) {
      const bool bright = (p % 8 >= 4) == (label % 2 == 1) && (p / 8 >= 4) == (label / 2 == 1);
      data.pixels.push_back(static_cast<std::uint8_t>((bright ? 120 : 0) + rng.below(100)));
    }
  }
  return data;
}

inline Architecture toy_architecture(int grid) {
  return {.name = "toy",
          .grid = grid,
          .tile_width = 8,
          .tile_height = 8,
          .channels = 1,
          .classes = 4,
          .stem_width = 8,
          .stem_halves = false,
          .stages = {{.width = 8, .blocks = 1, .halve = true}}};
}

}  // namespace models
