// A teacher without a network, which counts how often it is run.
#pragma once

#include <torch/torch.h>

#include <filesystem>

#include "models/research/training/teacher.h"
#include "models/research/training/tile_pool.h"

namespace models {

// Mirrors, shifts and erases, but draws no mixtures and no crops.
inline const PoolPolicy kShift{.bfloat16 = false,
                               .augmentation = {.mirror = 0.5, .shift_max = 2, .erase = 0.5}};

// Its logits are the brightness of a tile, in every class; counts its forward passes.
struct CountingTeacher {
  int calls = 0;
  Teacher teacher(const std::filesystem::path& cache = {}) {
    return {.answer =
                [this](const torch::Tensor& tiles) {
                  ++calls;
                  return tiles.mean({1, 2, 3}).unsqueeze(1).expand({-1, 4}).contiguous();
                },
            .cache = cache};
  }
};

}  // namespace models
