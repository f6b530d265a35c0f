#include "models/training/tile_pool.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const PoolPolicy kShift{.bfloat16 = false,
                        .augmentation = {.mirror = 0.5, .shift_max = 2, .erase = 0.5}};

// Says how bright each tile is, in every class; counts how often it was asked.
struct Counted {
  int asked = 0;
  Teacher teacher(const std::filesystem::path& answers = {}) {
    return {.answer =
                [this](const torch::Tensor& tiles) {
                  ++asked;
                  return tiles.mean({1, 2, 3}).unsqueeze(1).expand({-1, 4}).contiguous();
                },
            .answers = answers};
  }
};

class KeptAnswers : public ::testing::Test {
 protected:
  KeptAnswers() { std::filesystem::remove_all(folder_); }
  ~KeptAnswers() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) /
                                  ::testing::UnitTest::GetInstance()->current_test_info()->name();
  Dataset data_ = toy_data(50, 1);
};

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
  Counted counted;
  const TilePool pool = make_tiles({.tiles = &data}, kShift, counted.teacher(), 0);
  const torch::Tensor again = ask(counted.teacher(), data, pool.pixels, false);
  EXPECT_TRUE(pool.teacher.equal(again));
  EXPECT_FALSE(pool.teacher.equal(ask(counted.teacher(), data, data.pixels, false)));
}

TEST(MakeTiles, ATeacherOfLargerPicturesSeesTheSameChange) {
  const Dataset small = toy_data(10, 1);
  Dataset large = small;  // Every pixel four times.
  large.shape = {.width = 16, .height = 16, .channels = 1};
  large.pixels.clear();
  for (std::size_t i = 0; i < small.size(); ++i) {
    for (std::size_t p = 0; p < 256; ++p) {
      large.pixels.push_back(small.tile(i)[p / 16 / 2 * 8 + p % 16 / 2]);
    }
  }
  Counted counted;
  PoolPolicy moved = kShift;
  moved.augmentation.erase = 0;
  moved.mix = 0.5;
  const TilePool pool =
      make_tiles({.tiles = &small, .taught = &large}, moved, counted.teacher(), 0);
  const torch::Tensor of_small = ask(counted.teacher(), small, pool.pixels, false);
  EXPECT_TRUE(pool.teacher.allclose(of_small, 0, 1e-5));
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
  Counted counted;
  const TilePool pool = make_tiles({.tiles = &data}, policy, counted.teacher(), 0);
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
  EXPECT_TRUE(pool.teacher.equal(ask(counted.teacher(), data, pool.pixels, false)));
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

TEST_F(KeptAnswers, SpareTheTeacherTheSecondTime) {
  Counted counted;
  const Teacher teacher = counted.teacher(folder_);
  const TilePool first = make_tiles({.tiles = &data_}, kShift, teacher, 0);
  const int asked = counted.asked;
  const TilePool second = make_tiles({.tiles = &data_}, kShift, teacher, 0);
  EXPECT_EQ(counted.asked, asked);
  EXPECT_TRUE(first.teacher.equal(second.teacher));
}

TEST_F(KeptAnswers, AreNotThoseOfOtherTiles) {
  Counted counted;
  const Teacher teacher = counted.teacher(folder_);
  make_tiles({.tiles = &data_}, kShift, teacher, 0);
  const int asked = counted.asked;
  PoolPolicy erased = kShift;
  erased.augmentation.erase = 0.25;
  PoolPolicy mixed = kShift;
  mixed.mix = 0.5;
  PoolPolicy seeded = kShift;
  seeded.seed = 2;
  for (const PoolPolicy& other : {erased, mixed, seeded}) {
    make_tiles({.tiles = &data_}, other, teacher, 0);
  }
  make_tiles({.tiles = &data_}, kShift, teacher, 1);
  EXPECT_EQ(counted.asked, 5 * asked);
}

TEST_F(KeptAnswers, ThatAreDamagedAreNamed) {
  Counted counted;
  const Teacher teacher = counted.teacher(folder_);
  make_tiles({.tiles = &data_}, kShift, teacher, 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::filesystem::resize_file(entry.path(), 100);
  }
  EXPECT_THAT([&] { make_tiles({.tiles = &data_}, kShift, teacher, 0); },
              ThrowsMessage<std::runtime_error>(HasSubstr("is damaged; remove it")));
}

}  // namespace
}  // namespace models
