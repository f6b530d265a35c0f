#include "machine/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace {

using machine::QuantileTable;
using machine::Rng;

TEST(Rng, ASeedMeansTheSameEverywhere) {
  Rng rng(1);
  for (const std::uint64_t expected :
       {0xb3f2af6d0fc710c5ull, 0x853b559647364ceaull, 0x92f89756082a4514ull})
    EXPECT_EQ(rng.next(), expected);
}

TEST(Rng, AnotherSeedIsAnotherStream) { EXPECT_NE(Rng(1).next(), Rng(2).next()); }

TEST(Rng, SplitStreamsDiffer) {
  Rng rng(3);
  Rng other = rng.split();
  EXPECT_NE(rng.next(), other.next());
}

TEST(Rng, UniformCoversTheUnitInterval) {
  Rng rng(4);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = rng.uniform();
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    sum += x;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
}

TEST(Rng, BelowFavoursNoNumber) {
  Rng rng(5);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts[rng.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);
  EXPECT_EQ(rng.below(1), 0u);
}

TEST(Rng, ChanceComesAsOftenAsAsked) {
  Rng rng(6);
  int yes = 0;
  for (int i = 0; i < 100'000; ++i) yes += rng.chance(0.3);
  EXPECT_NEAR(yes, 30'000, 600);
  EXPECT_FALSE(rng.chance(0));
  EXPECT_TRUE(rng.chance(1));
}

TEST(Rng, NormalHasMeanZeroAndDeviationOne) {
  Rng rng(7);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = rng.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 100'000, 0, 0.015);
  EXPECT_NEAR(std::sqrt(squares / 100'000), 1, 0.01);
}

TEST(QuantileTable, InterpolatesBetweenItsRows) {
  const QuantileTable table({{0, 10}, {0.5, 20}, {1, 100}});
  EXPECT_DOUBLE_EQ(table.at(0), 10);
  EXPECT_DOUBLE_EQ(table.at(0.25), 15);
  EXPECT_DOUBLE_EQ(table.at(0.5), 20);
  EXPECT_DOUBLE_EQ(table.at(0.75), 60);
  EXPECT_DOUBLE_EQ(table.at(1), 100);
}

TEST(QuantileTable, DrawsFollowItsQuantiles) {
  const QuantileTable table({{0, 0}, {0.9, 1}, {1, 101}});
  Rng rng(8);
  int above = 0;
  for (int i = 0; i < 100'000; ++i) above += table.draw(rng) > 1;
  EXPECT_NEAR(above, 10'000, 400);
}

TEST(QuantileTable, RowsMustRiseFromZeroToOne) {
  using Rows = std::vector<QuantileTable::Row>;
  EXPECT_TRUE(QuantileTable::valid(Rows{{0, 1}, {1, 1}}));
  EXPECT_FALSE(QuantileTable::valid(Rows{}));
  EXPECT_FALSE(QuantileTable::valid(Rows{{0, 1}}));
  EXPECT_FALSE(QuantileTable::valid(Rows{{0.1, 1}, {1, 2}}));
  EXPECT_FALSE(QuantileTable::valid(Rows{{0, 1}, {0.9, 2}}));
  EXPECT_FALSE(QuantileTable::valid(Rows{{0, 1}, {0.5, 2}, {0.5, 3}, {1, 4}}));
  EXPECT_FALSE(QuantileTable::valid(Rows{{0, 2}, {1, 1}}));
  EXPECT_FALSE(QuantileTable::valid(Rows{{0, 1}, {1, NAN}}));
}

}  // namespace
