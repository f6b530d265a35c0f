#include "models/research/training/tile_pool.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "tests/models/research/training/counting_teacher.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

torch::Tensor logits_of(const Teacher& teacher, Dataset data,
                        const std::vector<std::uint8_t>& pixels) {
  data.pixels = pixels;
  return teacher_logits(teacher, unchanged({&data}), false);
}

TEST(MakeTiles, OneDrawGivesTheSameTilesAndAnotherDoesNot) {
  const Dataset data = toy_data(20, 1);
  const auto tiles = [&](std::uint64_t seed, int number) {
    PoolPolicy policy = kShift;
    policy.seed = seed;
    return make_tiles({.tiles = &data}, policy, {}, number).pixels;
  };
  EXPECT_EQ(tiles(1, 0), tiles(1, 0));
  EXPECT_NE(tiles(1, 0), tiles(1, 1));
  EXPECT_NE(tiles(1, 0), tiles(2, 0));
}

TEST(MakeTiles, TheTeacherSeesTheTilesAsTheyWereChanged) {
  const Dataset data = toy_data(20, 1);
  CountingTeacher counting;
  const TilePool pool = make_tiles({.tiles = &data}, kShift, counting.teacher(), 0);
  const torch::Tensor again = logits_of(counting.teacher(), data, pool.pixels);
  EXPECT_TRUE(pool.teacher_logits.equal(again));
  EXPECT_FALSE(pool.teacher_logits.equal(logits_of(counting.teacher(), data, data.pixels)));
}

// The tiles of `data` with every pixel four times, in a file, in the opposite order.
TeacherTiles doubled(Dataset& data) {
  TeacherTiles large{.shape = {.width = 16, .height = 16, .channels = 1},
                     .normalisation = data.normalisation,
                     .preprocess = {},
                     .file = {::testing::TempDir(), 256}};
  data.in_file.resize(data.size());
  for (std::size_t i = data.size(); i-- > 0;) {
    std::vector<std::uint8_t> tile;
    for (std::size_t p = 0; p < 256; ++p) tile.push_back(data.tile(i)[p / 16 / 2 * 8 + p % 16 / 2]);
    data.in_file[i] = large.file.size();
    large.file.append(tile);
  }
  return large;
}

// The weights that ship were trained on tiles that are drawn so, one after another from one
// generator; another order would be another training.
TEST(MakeTiles, DrawsEachChangeBeforeItsNoiseAndMixesAfterwards) {
  const Dataset data = toy_data(30, 1);
  const std::size_t bytes = data.shape.bytes();
  PoolPolicy policy = kShift;
  policy.augmentation.crop = 0.3;
  policy.mix = 0.5;
  machine::Rng rng = stream_of(policy.seed, Stream::tiles, 3);
  std::vector<std::uint8_t> tiles(data.pixels.size());
  const auto tile = [&](std::vector<std::uint8_t>& all, std::size_t i) {
    return std::span(all).subspan(i * bytes, bytes);
  };
  for (std::size_t i = 0; i < data.size(); ++i) {
    augment(data.tile(i), tile(tiles, i), data.shape, policy.augmentation, rng);
  }
  std::vector<std::uint8_t> unmixed = tiles;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (!rng.chance(policy.mix)) continue;
    const auto from = static_cast<std::size_t>(rng.below(data.size()));
    paste(draw_patch(data.shape, rng), tile(unmixed, from), tile(tiles, i), data.shape);
  }
  EXPECT_EQ(make_tiles({.tiles = &data}, policy, {}, 3).pixels, tiles);
}

TEST(MakeTiles, ATeacherOfLargerPicturesSeesTheSameChange) {
  Dataset small = toy_data(10, 1);
  const TeacherTiles large = doubled(small);
  CountingTeacher counting;
  PoolPolicy moved = kShift;
  moved.augmentation.erase = 0;
  moved.mix = 0.5;
  const TilePool pool =
      make_tiles({.tiles = &small, .teacher_tiles = &large}, moved, counting.teacher(), 0);
  const torch::Tensor of_small = logits_of(counting.teacher(), small, pool.pixels);
  EXPECT_TRUE(pool.teacher_logits.allclose(of_small, 0, 1e-5));
}

// What is erased is filled with noise of its own at each size.
TEST(MakeTiles, ATeacherOfLargerPicturesSeesTheSamePoolEachTime) {
  Dataset small = toy_data(10, 1);
  const TeacherTiles large = doubled(small);
  CountingTeacher counting;
  PoolPolicy erased = kShift;
  erased.augmentation.erase = 1;
  erased.mix = 0.5;
  const auto logits = [&] {
    return make_tiles({.tiles = &small, .teacher_tiles = &large}, erased, counting.teacher(), 0)
        .teacher_logits;
  };
  EXPECT_TRUE(logits().equal(logits()));
  // The mean of the noise is that of no picture.
  EXPECT_FALSE(logits().allclose(logits_of(counting.teacher(), small, small.pixels), 0, 1e-2));
}

// Tiles of one colour each, so that a pasted part is seen by its colour.
TEST(MakeTiles, MixedTilesHoldPartOfAnotherAndHaveNoLabel) {
  Dataset data = toy_data(200, 1);
  const auto bytes = static_cast<std::ptrdiff_t>(data.shape.bytes());
  for (std::size_t i = 0; i < data.size(); ++i) {
    std::fill_n(data.pixels.begin() + static_cast<std::ptrdiff_t>(i) * bytes, bytes,
                static_cast<std::uint8_t>(i));
  }
  PoolPolicy policy = kShift;
  policy.augmentation = {.mirror = 0.5, .shift_max = 0, .erase = 0};
  policy.mix = 0.5;
  CountingTeacher counting;
  const TilePool pool = make_tiles({.tiles = &data}, policy, counting.teacher(), 0);
  int mixed = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto tile = std::span(pool.pixels).subspan(i * data.shape.bytes(), data.shape.bytes());
    const std::set<int> colours(tile.begin(), tile.end());
    if (pool.labels[i] == kUnlabelled) {
      mixed += 1;
      // All of it may be covered, and a picture may meet itself.
      EXPECT_LE(colours.size(), 2U);
    } else {
      EXPECT_EQ(pool.labels[i], data.labels[i]);
      EXPECT_THAT(colours, ::testing::ElementsAre(static_cast<int>(i)));
    }
  }
  EXPECT_NEAR(mixed, 100, 30);
  EXPECT_TRUE(pool.teacher_logits.equal(logits_of(counting.teacher(), data, pool.pixels)));
}

// Tiles of one value each, which a pasted part leaves in proportion to its area.
TEST(MakeTiles, WithoutATeacherAMixedTileKeepsItsLabelAndTheOtherWithItsShare) {
  Dataset data = toy_data(200, 1);
  const std::size_t bytes = data.shape.bytes();
  for (std::size_t p = 0; p < data.pixels.size(); ++p) {
    data.pixels[p] = static_cast<std::uint8_t>(10 * data.labels[p / bytes]);
  }
  PoolPolicy policy = kShift;
  policy.augmentation = {.mirror = 0.5, .shift_max = 0, .erase = 0};
  policy.mix = 0.5;
  const TilePool pool = make_tiles({.tiles = &data}, policy, {}, 0);
  EXPECT_EQ(pool.labels, data.labels);
  ASSERT_EQ(pool.pasted.size(), data.size());
  int mixed = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const Pasted& pasted = pool.pasted[i];
    const auto tile = std::span(pool.pixels).subspan(i * bytes, bytes);
    const auto other = std::ranges::count(tile, 10 * pasted.label);
    if (pasted.share > 0) mixed += 1;
    if (pasted.label != data.labels[i]) {
      EXPECT_NEAR(pasted.share, static_cast<double>(other) / static_cast<double>(bytes), 1e-6);
    }
  }
  EXPECT_NEAR(mixed, 100, 30);
}

TEST(MakeTiles, AnAlternatingMirrorShowsBothSidesOfEveryPictureInTwoPools) {
  const Dataset data = toy_data(20, 1);
  PoolPolicy policy = kShift;
  policy.augmentation = {.mirror = 0.5, .shift_max = 0, .erase = 0};
  policy.alternate_mirror = true;
  const auto mirrored = [&](int number) {
    const TilePool pool = make_tiles({.tiles = &data}, policy, {}, number);
    std::vector<bool> out;
    for (std::size_t i = 0; i < data.size(); ++i) {
      const std::size_t bytes = data.shape.bytes();
      const auto tile = std::span(pool.pixels).subspan(i * bytes, bytes);
      out.push_back(!std::ranges::equal(tile, data.tile(i)));
    }
    return out;
  };
  const std::vector<bool> first = mirrored(0);
  std::vector<bool> second = mirrored(1);
  EXPECT_EQ(std::ranges::count(first, true), 10);
  EXPECT_EQ(mirrored(2), first);
  second.flip();
  EXPECT_EQ(second, first);
}

TEST(Pools, TakeTurnsAfterTheirEpochsAndReturn) {
  const Dataset data = toy_data(20, 1);
  PoolPolicy policy = kShift;
  policy.tile_epochs = 2;
  policy.rotation = 3;
  Pools pools({.tiles = &data}, policy, {});
  for (int epoch = 0; epoch < 12; ++epoch) {
    const int number = epoch / 2 % 3;
    EXPECT_EQ(pools.at(epoch).pixels, make_tiles({.tiles = &data}, policy, {}, number).pixels);
  }
}

TEST(Pools, NeverReturnWithoutARotation) {
  const Dataset data = toy_data(20, 1);
  Pools pools({.tiles = &data}, kShift, {});
  EXPECT_EQ(pools.at(7).pixels, make_tiles({.tiles = &data}, kShift, {}, 7).pixels);
}

}  // namespace
}  // namespace models
