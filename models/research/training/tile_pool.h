// The augmented tiles of an epoch, and what a teacher says of each.
//
// A teacher costs more than a pupil's own step, so a pool may serve several epochs (every epoch
// tiles it anew), and a teacher's answers are kept on disk for its other pupils: the tiles follow
// from a seed, so the answers are all that need be kept.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "machine/random.h"
#include "models/data/augment.h"
#include "models/data/dataset.h"

namespace models {

struct Teacher {
  // Float [B, C, tile_height, tile_width] normalised tiles to logits [B, classes].
  std::function<torch::Tensor(const torch::Tensor&)> answer;
  std::filesystem::path answers;  // Folder for what it said, of this teacher alone; empty: none.

  explicit operator bool() const { return static_cast<bool>(answer); }
};

// The same pictures at the size of a tile and, if that differs, at the size the teacher takes.
// Borrowed.
struct Pictures {
  const Dataset* tiles = nullptr;
  const Dataset* taught = nullptr;  // Empty: the tiles themselves.

  const Dataset& as_taught() const { return taught == nullptr ? *tiles : *taught; }
};

struct TilePool {
  std::vector<std::uint8_t> pixels;  // As many tiles as there are pictures, in their order.
  std::vector<int> labels;           // Of the pictures; kUnlabelled where two were mixed.
  torch::Tensor teacher;             // Logits [images, classes]; undefined without a teacher.
};

// How an epoch's tiles come to be.
struct PoolPolicy {
  int tile_epochs = 1;  // Epochs for which augmented tiles are kept, to save the teacher.
  // So many pools take turns, so that answers that are kept serve again.  0: no pool returns.
  int rotation = 0;
  bool bfloat16 = true;  // For the teacher.
  std::uint64_t seed = 1;
  Augmentation augmentation;
  // Probability that a part of another picture is pasted over a tile.  What such a tile shows only
  // the teacher says (Beyer et al. 2022, "Knowledge distillation: a good teacher is patient and
  // consistent").
  double mix = 0;
};

// The tiles of pool `number` (from 0).  Every picture is changed alike at both sizes.  `teacher`
// may be empty unless pictures are mixed.
TilePool make_tiles(const Pictures& data, const PoolPolicy& policy, const Teacher& teacher,
                    int number);

// The pool of each epoch, made when it is first asked for.
class Pools {
 public:
  // Borrows the pictures.  Requires tile_epochs >= 1 and rotation >= 0; `teacher` may be
  // empty.
  Pools(const Pictures& data, const PoolPolicy& policy, Teacher teacher);
  // Valid until an epoch of another pool is asked for.
  const TilePool& at(int epoch);
  const Teacher& teacher() const { return teacher_; }

 private:
  Pictures data_;
  PoolPolicy policy_;
  Teacher teacher_;
  TilePool pool_;
  int number_ = -1;
};

// What the teacher says of pictures that stand one after another in `pixels`: logits float
// [data.size(), classes]; shapes and normalisation are those of `data`.
torch::Tensor ask(const Teacher& teacher, const Dataset& data, std::span<const std::uint8_t> pixels,
                  bool bfloat16);

// The label of each picture or, where any has none, the teacher's best class of each.
std::vector<int> labels_or_taught(const Pictures& data, const Teacher& teacher);

// The teacher's logits [slots, classes] of the images in `tilings`, anything at blank slots;
// undefined without a teacher.
torch::Tensor teacher_of(const TilePool& pool, std::span<const std::int64_t> tilings);

// A generator for one purpose in one epoch (or pool), so that a resumed run draws what it would
// have drawn.
enum class Stream : std::uint64_t { tiles, tilings };
machine::Rng stream_of(std::uint64_t seed, Stream stream, int number);

}  // namespace models
