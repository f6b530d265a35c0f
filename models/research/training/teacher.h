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
#include "models/research/data/tile_file.h"

namespace models {

struct Teacher {
  // Float [B, C, height, width] normalised tiles to logits [B, classes].
  std::function<torch::Tensor(const torch::Tensor&)> answer;
  // Folder of cached logits, used by this teacher alone; empty for no cache.
  std::filesystem::path cache;
  bool bfloat16 = true;  // Whether its answers may be computed in bfloat16.
  // Is told how many tiles of how many it has answered, now and then; may be empty.
  std::function<void(std::size_t done, std::size_t whole)> on_progress{};

  explicit operator bool() const { return static_cast<bool>(answer); }
};

// Pictures at the size that the teacher takes, in a file: `file` has a tile of `shape` for each
// number in a data set's in_file.
struct TeacherTiles {
  TileShape shape;
  Normalisation normalisation;
  imaging::Preprocess preprocess;  // How a picture becomes such a tile.
  TileFile file;
};

// The same pictures at the size of a tile and, if the teacher's input has another size, at that
// size too.  Borrowed.
struct Pictures {
  const Dataset* tiles = nullptr;
  const TeacherTiles* teacher_tiles = nullptr;  // nullptr: the teacher takes `tiles`.
};

// What a teacher is shown: `count` tiles of `shape`, which are made when it is their turn, for at
// the teacher's size all may be too many for memory.
struct TeacherInput {
  TileShape shape;
  Normalisation normalisation;
  std::size_t count = 0;
  // Writes tile i to `out` of shape.bytes().
  std::function<void(std::size_t i, std::span<std::uint8_t> out)> write;
};

// The pictures as they are.  Borrows them.
TeacherInput unchanged(const Pictures& pictures);

// The teacher's logits, float [input.count, classes].
torch::Tensor teacher_logits(const Teacher& teacher, const TeacherInput& input, bool bfloat16);

// The same from the file `name` of the teacher's cache if it is there and has input.count rows;
// else computed and stored there.  Throws std::runtime_error naming the file if it is damaged.
torch::Tensor cached_teacher_logits(const Teacher& teacher, const TeacherInput& input,
                                    const std::string& name, bool bfloat16);

// The teacher's best class of each picture, -1 where its logits are not finite.
std::vector<int> teacher_classes(const Pictures& data, const Teacher& teacher);

// The labels of the pictures or, if any picture has none, teacher_classes().
std::vector<int> labels_or_teacher_classes(const Pictures& data, const Teacher& teacher);

}  // namespace models
