#include "machine/quantile.h"

#include <gtest/gtest.h>

#include <array>

namespace machine {
namespace {

constexpr std::array<int, 4> kFour = {10, 20, 30, 40};

std::optional<int> of_four(double q) { return nearest_rank<int>(kFour, q); }

TEST(NearestRank, IsTheSmallestValueThatTheFractionDoesNotExceed) {
  EXPECT_EQ(of_four(0.25), 10);
  EXPECT_EQ(of_four(0.26), 20);
  EXPECT_EQ(of_four(0.5), 20);  // The lower of the middle two.
  EXPECT_EQ(of_four(0.75), 30);
  EXPECT_EQ(of_four(0.99), 40);
}

TEST(NearestRank, ReachesBothEnds) {
  EXPECT_EQ(of_four(0), 10);
  EXPECT_EQ(of_four(1), 40);
}

TEST(NearestRank, OfNothingIsAbsent) { EXPECT_EQ(nearest_rank<int>({}, 0.5), std::nullopt); }

}  // namespace
}  // namespace machine
