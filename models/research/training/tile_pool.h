// The augmented tiles of an epoch, with the teacher's logits of each.
//
// The teacher must see each tile as it was augmented, and its inference costs more than a student's
// training step, so one pool of augmented tiles may serve several epochs (every epoch draws new
// tilings from it).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "machine/random.h"
#include "models/research/data/augment.h"
#include "models/research/training/teacher.h"
#include "models/serving/serving_policy.h"

namespace models {

// A part of another picture on a tile, and the share of the tile that it covers.
struct Pasted {
  int label = 0;    // Label of the other picture.
  float share = 0;  // 0..1; 0: nothing was pasted.
};

struct TilePool {
  std::vector<std::uint8_t> pixels;  // As many tiles as there are pictures, in their order.
  std::vector<int> labels;           // Of the pictures; kUnlabelled where a teacher labels a mix.
  std::vector<Pasted> pasted;        // One for each tile; empty if a teacher labels mixed tiles or
                                     // none is mixed.
  torch::Tensor teacher_logits;      // [images, classes]; undefined without a teacher.
};

// How an epoch's tiles come to be.
struct PoolPolicy {
  int tile_epochs = 1;  // Epochs for which augmented tiles are kept, to save the teacher.
  // This many pools take turns, so that cached logits serve again.  0: every pool is new.
  int rotation = 0;
  // The precision of teacher and student.  A processor without its instructions takes a hundred
  // times as long.
  bool bfloat16 = computes_bfloat16();
  std::uint64_t seed = 1;
  Augmentation augmentation;
  // Mirrors every picture in every second pool, half of the pictures in each pool, instead of at
  // random: two successive pools then show both sides of every picture (Jordan 2024).
  bool alternate_mirror = false;
  // Probability that a part of another picture is pasted over a tile.  With a teacher such a tile
  // has no label, only the teacher's logits (Beyer et al. 2022, "Knowledge distillation: a good
  // teacher is patient and consistent"); without one its label is shared by area (CutMix, Yun et
  // al. 2019).
  double mix = 0;
};

// How the policy changes pictures, in a line without spaces: the same for two policies exactly if
// they make the same tiles of one seed.
std::string settings_text(const PoolPolicy& policy);

// The tiles of pool `number` (from 0).  Every picture is changed alike at both sizes.  `teacher`
// may be empty; then mixed pictures need labels.
TilePool make_tiles(const Pictures& data, const PoolPolicy& policy, const Teacher& teacher,
                    int number);

// The pool of each epoch, made when it is first asked for.
class Pools {
 public:
  // Borrows the pictures.  Requires tile_epochs >= 1 and rotation >= 0; `teacher` may be empty.
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

// The teacher's logits [slots, classes] of the images in `tilings`, anything at blank slots;
// undefined without a teacher.
torch::Tensor teacher_logits_of(const TilePool& pool, std::span<const std::int64_t> tilings);

// A generator for one purpose in one epoch (or pool), so that a resumed run draws what it would
// have drawn.
enum class Stream : std::uint64_t { tiles, tilings };
machine::Rng stream_of(std::uint64_t seed, Stream stream, int number);

}  // namespace models
