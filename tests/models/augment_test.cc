#include "models/augment.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

using Tile = std::vector<std::uint8_t>;

constexpr Augmentation kNothing{.mirror = 0, .shift_max = 0, .erase = 0};

Tile apply(const Tile& tile, const TileShape& shape, const Augmentation& policy,
           std::uint64_t seed = 1) {
  wire::Rng rng(seed);
  Tile out(tile.size(), 77);
  augment(tile, out, shape, policy, rng);
  return out;
}

TEST(Augment, WithoutChangesTheTileIsCopied) {
  const Tile tile = {1, 2, 3, 4, 5, 6};
  const TileShape shape{.width = 3, .height = 2, .channels = 1};
  EXPECT_THAT(apply(tile, shape, kNothing), ElementsAreArray(tile));
}

TEST(Augment, MirroringExchangesColumnsAndKeepsChannelsTogether) {
  Augmentation policy = kNothing;
  policy.mirror = 1;
  const TileShape shape{.width = 2, .height = 1, .channels = 3};
  EXPECT_THAT(apply({1, 2, 3, 4, 5, 6}, shape, policy), ElementsAre(4, 5, 6, 1, 2, 3));
}

TEST(Augment, ShiftingMovesThePictureByAtMostTheMaximumAndFillsWithBlank) {
  Augmentation policy = kNothing;
  policy.shift_max = 1;
  const TileShape shape{.width = 5, .height = 5, .channels = 1};
  Tile tile(25, 0);
  tile[12] = 200;  // The middle.
  std::vector<int> seen(25);
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Tile out = apply(tile, shape, policy, seed);
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
    const Tile out = apply(tile, shape, policy, seed);
    const auto changed = 100 - std::ranges::count(out, 9);
    EXPECT_LE(changed, 25) << seed;
    EXPECT_GE(changed, 2) << seed;  // Noise may hit the old value now and then.
  }
}

TEST(Augment, OneSeedRepeats) {
  const TileShape shape{.width = 28, .height = 28, .channels = 1};
  Tile tile(784);
  for (std::size_t i = 0; i < tile.size(); ++i) tile[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(apply(tile, shape, {}, 5), apply(tile, shape, {}, 5));
  EXPECT_NE(apply(tile, shape, {}, 5), apply(tile, shape, {}, 6));
}

}  // namespace
}  // namespace models
