#include "models/research/training/tile_task.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace models
