#include "models/research/training/tile_task.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <set>

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

// A network that divides by what is 0 for one picture.
TEST(TileTask, AnAnswerOfTheTeacherThatIsNotFiniteDoesNotCount) {
  const Dataset data = toy_data(64, 1);
  TilePolicy policy{.batch_images = 64, .pool = {}, .loss = {.distill_share = 0.8}};
  policy.pool.bfloat16 = false;
  const Teacher teacher{.answer =
                            [](const torch::Tensor& tiles) {
                              torch::Tensor rows = tiles.flatten(1).slice(1, 0, 4).clone();
                              rows[0][1] = std::numeric_limits<float>::quiet_NaN();
                              return rows;
                            },
                        .cache = {}};
  TileTask task({.tiles = &data}, {.tiles = &data}, 2, policy, teacher);
  GridNet net(toy_architecture(2), 1);
  task.begin(0);
  const torch::Tensor loss = task.loss(net, 0);
  EXPECT_TRUE(std::isfinite(loss.item<double>()));
  loss.backward();
  for (const torch::Tensor& p : net->parameters()) {
    EXPECT_TRUE(p.grad().isfinite().all().item<bool>());
  }
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

// A checkpoint is taken up only by a run of the same settings.
TEST(SettingsText, IsAnotherForEverySetting) {
  std::set<std::string> texts = {settings_text(TilePolicy{})};
  std::size_t changes = 0;
  const auto changed = [&](auto change) {
    TilePolicy policy;
    change(policy);
    texts.insert(settings_text(policy));
    ++changes;
  };
  changed([](TilePolicy& p) { p.batch_images = 64; });
  changed([](TilePolicy& p) { p.partial_share = 0.5; });
  changed([](TilePolicy& p) { p.middles = {{3, 0.5}}; });
  changed([](TilePolicy& p) { p.middles = {{4, 0.5}}; });
  changed([](TilePolicy& p) { p.loss.label_smoothing = 0.5; });
  changed([](TilePolicy& p) { p.loss.distill_share = 0.5; });
  changed([](TilePolicy& p) { p.loss.distill_temperature = 5; });
  changed([](TilePolicy& p) { p.pool.tile_epochs = 5; });
  changed([](TilePolicy& p) { p.pool.rotation = 5; });
  changed([](TilePolicy& p) { p.pool.mix = 0.5; });
  changed([](TilePolicy& p) { p.pool.alternate_mirror = true; });
  changed([](TilePolicy& p) { p.pool.augmentation.mirror = 0; });
  changed([](TilePolicy& p) { p.pool.augmentation.shift_max = 7; });
  changed([](TilePolicy& p) { p.pool.augmentation.reflect = true; });
  changed([](TilePolicy& p) { p.pool.augmentation.erase = 0.9; });
  changed([](TilePolicy& p) { p.pool.augmentation.crop = 0.9; });
  EXPECT_EQ(texts.size(), changes + 1);
}

TEST(TileTask, TheFirstEpochsMayShowTheMiddleOfEachTileAlone) {
  const Dataset data = toy_data(64, 1);
  TilePolicy policy;
  policy.batch_images = 32;
  policy.middles = {{1, 0.5}, {2, 0.75}};
  policy.pool.bfloat16 = false;
  policy.pool.augmentation = {.mirror = 0, .shift_max = 0, .erase = 0};
  const auto loss_in = [&](int epoch, std::vector<TilePolicy::Middle> middles) {
    TilePolicy other = policy;
    other.middles = std::move(middles);
    TileTask task({.tiles = &data}, {.tiles = &data}, 1, other, {});
    GridNet net(toy_architecture(1), 1);
    task.begin(epoch);
    return task.loss(net, 0).item<double>();
  };
  for (const int epoch : {0, 1, 2}) {
    const double half = loss_in(epoch, {{9, 0.5}});
    const double most = loss_in(epoch, {{9, 0.75}});
    const double whole = loss_in(epoch, {});
    ASSERT_NE(half, most);
    ASSERT_NE(most, whole);
    EXPECT_EQ(loss_in(epoch, policy.middles), epoch == 0 ? half : epoch == 1 ? most : whole);
  }
}

}  // namespace
}  // namespace models
