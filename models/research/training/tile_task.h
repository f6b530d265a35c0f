// The lesson of singles and collages: tiles, changed afresh, laid out in random tilings, told from
// labels and a teacher.
//
//     tiles augmented (and shown to the teacher) -> tilings drawn -> steps
//
// A single is a collage of one tile, so there is one lesson; only the head decides which loss.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/data/augment.h"
#include "models/data/dataset.h"
#include "models/training/losses.h"
#include "models/training/tile_pool.h"
#include "models/training/trainer.h"

namespace models {

struct TilePolicy {
  int batch_images = 128;      // Images a step; a collage counts for as many as it has slots.
  double partial_share = 0.0;  // Share of the collages that have blank slots.
  PoolPolicy pool;             // Its precision is the pupil's too; judging is always in float.
  LossPolicy loss;
};

class TileLesson : public Lesson {
 public:
  // Borrows the data sets; `teacher` may be empty, but then every picture needs a label.
  TileLesson(const Pictures& data, const Pictures& held_back, int grid, const TilePolicy& policy,
             Teacher teacher);
  // Throws std::runtime_error if there are fewer images than one step takes.
  std::size_t begin(int epoch) override;
  torch::Tensor loss(GridNet& net, std::size_t step) override;
  // The share of held-back pictures whose best class is their label, or, where they have none,
  // the teacher's best class.
  double judge(GridNet& net) override;

 private:
  Pictures data_;
  Pictures held_back_;
  int grid_;
  TilePolicy policy_;
  Pools pools_;
  const TilePool* pool_ = nullptr;  // This epoch's.
  std::vector<int> truths_;         // Of held_back_; empty until first asked for.
  std::vector<std::int64_t> tilings_;
  std::size_t step_slots_ = 0;
};

// Fits the stem of a network that has a whitening one to the first of the pictures.
void fit_stem(GridNet& net, const Dataset& data);

// Logits float [data.size(), classes], image by image; in collages, tilings are drawn from `seed`
// and all slots filled but the last collage's.  An image for which a detect head has no box has a
// row of NaNs.  Leaves the network in evaluation mode.
torch::Tensor logits_of(GridNet& net, const Dataset& data, std::uint64_t seed);

// The share of rows whose largest logit is at its label; a row with a NaN has none.
double accuracy_of(const torch::Tensor& logits, std::span<const int> labels);

}  // namespace models
