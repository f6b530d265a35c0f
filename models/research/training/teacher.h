// A teacher: a trained single whose logits a student network learns to reproduce (distillation),
// and the cache of those logits on disk.
//
// A teacher's inference costs more than a student's training step, so its logits are cached for its
// other students.  Tiles follow from a seed, so the logits alone need storing.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "models/research/data/dataset.h"

namespace models {

struct Teacher {
  // Float [B, C, height, width] normalised tiles to logits [B, classes].
  std::function<torch::Tensor(const torch::Tensor&)> answer;
  // Folder of cached logits, used by this teacher alone; empty for no cache.
  std::filesystem::path cache;

  explicit operator bool() const { return static_cast<bool>(answer); }
};

// The same pictures at the size of a tile and, if the teacher's input has another size, at that
// size too.  Borrowed.
struct Pictures {
  const Dataset* tiles = nullptr;
  const Dataset* teacher_tiles = nullptr;  // nullptr: the teacher takes `tiles`.

  const Dataset& for_teacher() const { return teacher_tiles == nullptr ? *tiles : *teacher_tiles; }
};

// The teacher's logits of the pictures that stand one after another in `pixels`, float
// [data.size(), classes]; shapes and normalisation are those of `data`.
torch::Tensor teacher_logits(const Teacher& teacher, const Dataset& data,
                             std::span<const std::uint8_t> pixels, bool bfloat16);

// The same from the file `name` of the teacher's cache if it is there and has data.size() rows;
// else computed and stored there.  Throws std::runtime_error naming the file if it is damaged.
torch::Tensor cached_teacher_logits(const Teacher& teacher, const Dataset& data,
                                    std::span<const std::uint8_t> pixels, const std::string& name,
                                    bool bfloat16);

// The labels of the pictures or, if any picture has none, the teacher's best class of each.
std::vector<int> labels_or_teacher_classes(const Pictures& data, const Teacher& teacher);

}  // namespace models
