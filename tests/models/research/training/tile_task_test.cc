#include "models/research/training/tile_task.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "models/research/data/batch_tensors.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

// The first step's loss of a fresh network on pictures with these labels.
double first_loss(const Dataset& data, double mix) {
  TilePolicy policy{
      .batch_images = 32, .pool = {}, .loss = {.label_smoothing = 0, .distill_share = 0.8}};
  policy.pool.bfloat16 = false;
  policy.pool.mix = mix;
  const Teacher teacher{
      .answer = [](const torch::Tensor& tiles) { return tiles.flatten(1).slice(1, 0, 4); },
      .cache = {}};
  TileTask task({.tiles = &data}, {.tiles = &data}, 2, policy, teacher);
  GridNet net(toy_architecture(2), 1);
  task.begin(0);
  return task.loss(net, 0).item<double>();
}

TEST(TileTask, OfMixedPicturesOnlyTheTeacherCounts) {
  const Dataset data = toy_data(64, 1);
  Dataset mislabelled = data;
  for (int& label : mislabelled.labels) label = (label + 1) % 4;
  EXPECT_NE(first_loss(data, 0), first_loss(mislabelled, 0));
  EXPECT_EQ(first_loss(data, 1), first_loss(mislabelled, 1));
}

// One step shows all pictures, so their order does not matter.
TEST(TileTask, WithoutATeacherAMixedPictureIsLabelledByBothOfItsPictures) {
  const Dataset data = toy_data(64, 1);
  TilePolicy policy;
  policy.batch_images = 64;
  policy.pool.bfloat16 = false;
  policy.pool.mix = 0.7;
  TileTask task({.tiles = &data}, {.tiles = &data}, 1, policy, {});
  ASSERT_EQ(task.begin(0), 1u);
  GridNet net(toy_architecture(1), 1);
  const double loss = task.loss(net, 0).item<double>();

  const TilePool pool = make_tiles({.tiles = &data}, policy.pool, {}, 0);
  std::vector<std::int64_t> all(64);
  std::iota(all.begin(), all.end(), std::int64_t{0});
  MixedLabels mixed{torch::empty({64}, torch::kLong), torch::empty({64})};
  for (std::int64_t i = 0; i < 64; ++i) {
    mixed.labels[i] = pool.pasted[static_cast<std::size_t>(i)].label;
    mixed.shares[i] = pool.pasted[static_cast<std::size_t>(i)].share;
  }
  GridNet same(toy_architecture(1), 1);
  const torch::Tensor logits =
      same->forward(assemble(pool.pixels, data.shape, data.normalisation, all, 1));
  const torch::Tensor labels = gather_labels(data.labels, all);
  EXPECT_NEAR(loss, slot_loss(logits, labels, {}, policy.loss, mixed).item<double>(), 1e-4);
  EXPECT_GT(std::abs(loss - slot_loss(logits, labels, {}, policy.loss).item<double>()), 1e-3);
}

TEST(TileTask, TheFirstEpochsMayShowTheMiddleOfEachTileAlone) {
  const Dataset data = toy_data(64, 1);
  TilePolicy policy;
  policy.batch_images = 32;
  policy.small_epochs = 1;
  policy.small_share = 0.5;
  policy.pool.bfloat16 = false;
  policy.pool.augmentation = {.mirror = 0, .shift_max = 0, .erase = 0};
  TilePolicy whole = policy;
  whole.small_epochs = 0;
  TileTask growing({.tiles = &data}, {.tiles = &data}, 1, policy, {});
  TileTask grown({.tiles = &data}, {.tiles = &data}, 1, whole, {});
  for (const int epoch : {0, 1}) {
    GridNet net(toy_architecture(1), 1);
    ASSERT_EQ(growing.begin(epoch), grown.begin(epoch));
    const double first = growing.loss(net, 0).item<double>();
    const double second = grown.loss(net, 0).item<double>();
    EXPECT_EQ(first == second, epoch == 1) << epoch;
  }
}

}  // namespace
}  // namespace models
