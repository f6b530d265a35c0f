#include "models/research/data/augment.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

using Tile = std::vector<std::uint8_t>;

constexpr Augmentation kNothing{.mirror = 0, .shift_max = 0, .erase = 0};

Tile augmented(const Tile& tile, const TileShape& shape, const Augmentation& policy,
               std::uint64_t seed = 1) {
  machine::Rng rng(seed);
  Tile out(tile.size(), 77);
  augment(tile, out, shape, policy, rng);
  return out;
}

TEST(Augment, WithoutChangesTheTileIsCopied) {
  const Tile tile = {1, 2, 3, 4, 5, 6};
  const TileShape shape{.width = 3, .height = 2, .channels = 1};
  EXPECT_THAT(augmented(tile, shape, kNothing), ElementsAreArray(tile));
}

TEST(Augment, MirroringExchangesColumnsAndKeepsChannelsTogether) {
  Augmentation policy = kNothing;
  policy.mirror = 1;
  const TileShape shape{.width = 2, .height = 1, .channels = 3};
  EXPECT_THAT(augmented({1, 2, 3, 4, 5, 6}, shape, policy), ElementsAre(4, 5, 6, 1, 2, 3));
}

TEST(Augment, AReflectingShiftRepeatsTheTileInReverse) {
  const TileShape shape{.width = 5, .height = 1, .channels = 1};
  const Tile tile = {1, 2, 3, 4, 5};
  const auto shifted = [&](double dx) {
    machine::Rng noise(1);
    Change change;
    change.reflect = true;
    change.dx = dx;
    Tile out(5);
    apply(change, tile, out, shape, noise);
    return out;
  };
  EXPECT_THAT(shifted(0.4), ElementsAre(3, 2, 1, 2, 3));
  EXPECT_THAT(shifted(-0.4), ElementsAre(3, 4, 5, 4, 3));
}

TEST(Augment, ShiftingMovesThePictureByAtMostTheMaximumAndFillsWithBlank) {
  Augmentation policy = kNothing;
  policy.shift_max = 1;
  const TileShape shape{.width = 5, .height = 5, .channels = 1};
  Tile tile(25, 0);
  tile[12] = 200;  // The middle.
  std::vector<int> seen(25);
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Tile out = augmented(tile, shape, policy, seed);
    ASSERT_EQ(std::ranges::count(out, 200), 1);
    ASSERT_EQ(std::ranges::count(out, 0), 24);
    ++seen[static_cast<std::size_t>(std::ranges::find(out, 200) - out.begin())];
  }
  EXPECT_THAT(seen, ElementsAreArray(std::vector<::testing::Matcher<int>>{0,
                                                                          0,
                                                                          0,
                                                                          0,
                                                                          0,
                                                                          0,
                                                                          testing::Gt(10),
                                                                          testing::Gt(10),
                                                                          testing::Gt(10),
                                                                          0,
                                                                          0,
                                                                          testing::Gt(10),
                                                                          testing::Gt(10),
                                                                          testing::Gt(10),
                                                                          0,
                                                                          0,
                                                                          testing::Gt(10),
                                                                          testing::Gt(10),
                                                                          testing::Gt(10),
                                                                          0,
                                                                          0,
                                                                          0,
                                                                          0,
                                                                          0,
                                                                          0}));
}

TEST(Augment, ErasingOverwritesARectangleWithinTheBounds) {
  Augmentation policy = kNothing;
  policy.erase = 1;
  policy.erase_side_min = 0.2;
  policy.erase_side_max = 0.5;
  const TileShape shape{.width = 10, .height = 10, .channels = 1};
  const Tile tile(100, 9);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Tile out = augmented(tile, shape, policy, seed);
    const auto changed = 100 - std::ranges::count(out, 9);
    EXPECT_LE(changed, 25) << seed;
    EXPECT_GE(changed, 2) << seed;  // Noise may hit the old value now and then.
  }
}

TEST(Augment, OneSeedRepeats) {
  const TileShape shape{.width = 28, .height = 28, .channels = 1};
  Tile tile(784);
  for (std::size_t i = 0; i < tile.size(); ++i) tile[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(augmented(tile, shape, {}, 5), augmented(tile, shape, {}, 5));
  EXPECT_NE(augmented(tile, shape, {}, 5), augmented(tile, shape, {}, 6));
}

// Trainings are repeated by their seeds, so a generator must go on meaning what it meant.
TEST(Augment, WhatASeedGivesIsPinned) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * 1099511628211u; };
  for (const TileShape shape : {TileShape{28, 28, 1}, TileShape{32, 32, 3}, TileShape{7, 11, 3}}) {
    Tile tile(shape.bytes());
    for (std::size_t i = 0; i < tile.size(); ++i) tile[i] = static_cast<std::uint8_t>(i * 7 + 1);
    Tile out(tile.size());
    machine::Rng rng(20);
    for (int round = 0; round < 500; ++round) {
      augment(tile, out, shape, {}, rng);
      for (const std::uint8_t byte : out) add(byte);
    }
    const std::uint64_t next = rng.next();
    for (int shift = 0; shift < 64; shift += 8) add(static_cast<std::uint8_t>(next >> shift));
  }
  EXPECT_EQ(hash, 0x16334f82fbdc819eu);
}

TEST(Augment, IsToDrawAChangeAndToApplyIt) {
  const TileShape shape{.width = 9, .height = 6, .channels = 3};
  Tile tile(shape.bytes());
  for (std::size_t i = 0; i < tile.size(); ++i) tile[i] = static_cast<std::uint8_t>(i);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    machine::Rng rng(seed);
    Tile out(tile.size());
    apply(draw_change(shape, {}, rng), tile, out, shape, rng);
    EXPECT_EQ(out, augmented(tile, shape, {}, seed)) << seed;
  }
}

// Each pixel as a block of factor x factor.
Tile enlarged(const Tile& tile, const TileShape& shape, int factor) {
  Tile out;
  for (int y = 0; y < shape.height * factor; ++y) {
    for (int x = 0; x < shape.width * factor; ++x) {
      out.push_back(tile[static_cast<std::size_t>(y / factor * shape.width + x / factor)]);
    }
  }
  return out;
}

TEST(Change, DoesTheSameToThePictureInALargerSize) {
  const TileShape small{.width = 10, .height = 7, .channels = 1};
  const TileShape large{.width = 30, .height = 21, .channels = 1};
  Tile tile(small.bytes());
  for (std::size_t i = 0; i < tile.size(); ++i) tile[i] = static_cast<std::uint8_t>(i + 1);
  Augmentation policy;
  policy.erase = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    machine::Rng rng(seed);
    const Change change = draw_change(small, policy, rng);
    Tile out(small.bytes());
    Tile large_out(large.bytes());
    apply(change, tile, out, small, rng);
    apply(change, enlarged(tile, small, 3), large_out, large, rng);
    EXPECT_EQ(large_out, enlarged(out, small, 3)) << seed;
  }
}

TEST(Change, ACropEnlargesItsPartToTheWholeTile) {
  const TileShape shape{.width = 4, .height = 2, .channels = 1};
  const Tile tile = {0, 40, 80, 120, 100, 140, 180, 220};
  Change change;
  change.crop = imaging::Rect{.x = 0.5, .y = 0, .width = 0.5, .height = 1};
  Tile out(8);
  machine::Rng noise(1);
  apply(change, tile, out, shape, noise);
  // The middle of each new pixel lies 1/4 or 3/4 of the way through an old one.
  EXPECT_THAT(out, ElementsAre(70, 90, 110, 120, 170, 190, 210, 220));
  change.crop = imaging::Rect{.x = 0, .y = 0, .width = 1, .height = 1};
  apply(change, tile, out, shape, noise);
  EXPECT_THAT(out, ElementsAreArray(tile));
}

TEST(Change, CropsLieWithinThePictureAndHaveTheAreasAndAspectsOfThePolicy) {
  const TileShape shape{.width = 64, .height = 64, .channels = 3};
  Augmentation policy = kNothing;
  policy.crop = 1;
  policy.shift_max = 8;
  policy.crop_area_min = 0.25;
  policy.crop_aspect_max = 1.5;
  machine::Rng rng(1);
  double area = 0;
  for (int i = 0; i < 4000; ++i) {
    const Change change = draw_change(shape, policy, rng);
    ASSERT_TRUE(change.crop);
    EXPECT_EQ(change.dx, 0);
    const imaging::Rect& crop = *change.crop;
    EXPECT_GE(std::min(crop.x, crop.y), 0);
    EXPECT_LE(std::max(crop.x + crop.width, crop.y + crop.height), 1 + 1e-9);
    EXPECT_GE(crop.width * crop.height, 0.25 - 1e-9);
    EXPECT_LE(std::max(crop.width / crop.height, crop.height / crop.width), 1.5 + 1e-9);
    area += crop.width * crop.height;
  }
  // Less than the middle, 0.625: large parts fit with few aspects.
  EXPECT_NEAR(area / 4000, 0.54, 0.02);
  policy.crop = 0.5;
  int crops = 0;
  for (int i = 0; i < 1000; ++i) crops += draw_change(shape, policy, rng).crop ? 1 : 0;
  EXPECT_NEAR(crops, 500, 80);
  EXPECT_FALSE(draw_change(shape, kNothing, rng).crop);
}

TEST(Change, ErasesTheSameShareOfAnySize) {
  const Change change{.erased = imaging::Rect{.x = 0.5, .y = 0.25, .width = 0.5, .height = 0.5}};
  for (const TileShape shape : {TileShape{4, 4, 1}, TileShape{32, 32, 3}, TileShape{5, 5, 1}}) {
    // What is erased takes the noise of its generator, value for value, row by row.
    Tile out(shape.bytes());
    machine::Rng noise(3);
    apply(change, Tile(shape.bytes()), out, shape, noise);
    machine::Rng same(3);
    for (int y = 0; y < shape.height; ++y) {
      for (int x = 0; x < shape.width * shape.channels; ++x) {
        const bool within = x / shape.channels >= std::lround(0.5 * shape.width) &&
                            y >= std::lround(0.25 * shape.height) &&
                            y < std::lround(0.75 * shape.height);
        const int want = within ? static_cast<int>(same.next() >> 56) : 0;
        ASSERT_EQ(out[static_cast<std::size_t>(y * shape.width * shape.channels + x)], want);
      }
    }
  }
}

TEST(Paste, CoversTheSamePlaceWithWhatIsThere) {
  const TileShape shape{.width = 4, .height = 2, .channels = 1};
  const Tile from = {11, 12, 13, 14, 15, 16, 17, 18};
  Tile onto = {1, 2, 3, 4, 5, 6, 7, 8};
  paste({.x = 0.25, .y = 0.5, .width = 0.5, .height = 0.5}, from, onto, shape);
  EXPECT_THAT(onto, ElementsAre(1, 2, 3, 4, 5, 16, 17, 8));
}

TEST(Paste, PatchesLieWithinTheTileAndCoverHalfOfItOnAverage) {
  const TileShape shape{.width = 32, .height = 32, .channels = 3};
  machine::Rng rng(1);
  double area = 0;
  for (int i = 0; i < 4000; ++i) {
    const imaging::Rect patch = draw_patch(shape, rng);
    EXPECT_GE(patch.x, 0);
    EXPECT_GE(patch.y, 0);
    EXPECT_LE(patch.x + patch.width, 1);
    EXPECT_LE(patch.y + patch.height, 1);
    EXPECT_GT(patch.width, 0);
    area += patch.width * patch.height;
  }
  EXPECT_NEAR(area / 4000, 0.5, 0.02);
}

}  // namespace
}  // namespace models
