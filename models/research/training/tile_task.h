// The training task of singles and collages: augmented tiles in random tilings, learned from labels
// and a teacher.
//
//     tiles augmented (and run through the teacher) -> tilings drawn -> steps
//
// A single is a collage of one tile, so one task serves both; the head decides which loss applies.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/research/data/augment.h"
#include "models/research/data/dataset.h"
#include "models/research/training/losses.h"
#include "models/research/training/tile_pool.h"
#include "models/research/training/trainer.h"

namespace models {

struct TilePolicy {
  int batch_images = 128;      // Images of a step; a collage counts as many as its slots.
  double partial_share = 0.0;  // Share of the collages that have blank slots.
  // Before epoch `before` (from 0) only the middle of each tile is shown, `share` of its sides,
  // which saves time.  A smaller image of the whole tile would lack the fine detail of the tiles
  // that are served.
  struct Middle {
    int before = 0;
    double share = 1;
  };
  // In rising order; the first whose epochs have not passed counts.  Requires grid 1; the reduction
  // must divide each middle, and the head must take the mean of its cells.
  std::vector<Middle> middles{};
  PoolPolicy pool;  // Its precision is the student's too; validation is always in float.
  LossPolicy loss;
};

// All that tells one task from another on the same pictures, in a line without spaces.
std::string settings_text(const TilePolicy& policy);

class TileTask : public TrainingTask {
 public:
  // Borrows the data sets; `teacher` may be empty, but then every picture needs a label.
  TileTask(const Pictures& data, const Pictures& held_back, int grid, const TilePolicy& policy,
           Teacher teacher);
  // Throws std::runtime_error if there are fewer images than one step takes.
  std::size_t begin(int epoch) override;
  torch::Tensor loss(GridNet& net, std::size_t step) override;
  // The share of held-back pictures whose best class is their label, or, where they have none,
  // the teacher's best class.
  double validate(GridNet& net) override;

 private:
  Pictures data_;
  Pictures held_back_;
  int grid_;
  TilePolicy policy_;
  Pools pools_;
  const TilePool* pool_ = nullptr;  // Pool of this epoch.
  double share_ = 1;                // Of a tile's sides that this epoch shows.
  std::vector<int> truths_;         // Labels of held_back_; empty before the first validation.
  std::vector<std::int64_t> tilings_;
  std::size_t step_slots_ = 0;
};

// Fits a whitening stem to the first pictures of `data`; does nothing to another stem.
void fit_stem(GridNet& net, const Dataset& data);

// Logits float [data.size(), classes], image by image; in collages, tilings are drawn from `seed`
// and all slots filled but the last collage's.  An image for which a detect head has no box has a
// row of NaNs.  Leaves the network in evaluation mode.
torch::Tensor logits_of(GridNet& net, const Dataset& data, std::uint64_t seed);

// The share of rows whose largest logit is that of their label; a row with a NaN counts as wrong.
double accuracy_of(const torch::Tensor& logits, std::span<const int> labels);

}  // namespace models
