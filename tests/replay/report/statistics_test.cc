#include "replay/report/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace {

using replay::report::distribution;
using replay::report::Distribution;

std::vector<double> one_to(int n) {
  std::vector<double> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

TEST(Statistics, TheQuantilesAreThoseOfTheirNames) {
  const Distribution d = distribution(one_to(1000), 1);
  EXPECT_EQ(d.p25_s, 250);
  EXPECT_EQ(d.p50_s, 500);
  EXPECT_EQ(d.p75_s, 750);
  EXPECT_EQ(d.p95_s, 950);
  EXPECT_EQ(d.p99_s, 990);
  EXPECT_EQ(d.p999_s, 999);
}

TEST(Statistics, TheOrderOfValuesDoesNotMatter) {
  const Distribution d = distribution({4, 1, 3, 2}, 1);
  EXPECT_EQ(d.count, 4u);
  EXPECT_DOUBLE_EQ(d.mean_s, 2.5);
  EXPECT_NEAR(d.sd_s, 1.118034, 1e-6);
  EXPECT_EQ(d.p50_s, 2);
  EXPECT_EQ(d.p999_s, 4);
}

TEST(Statistics, TheIntervalHoldsTheQuantileAndNarrowsWithMoreValues) {
  const Distribution few = distribution(one_to(100), 1);
  const Distribution many = distribution(one_to(10'000), 1);
  EXPECT_LE(few.p99_low_s, few.p99_s);
  EXPECT_GE(few.p99_high_s, few.p99_s);
  EXPECT_LT(few.p99_low_s, few.p99_high_s);
  const double few_width = (few.p99_high_s - few.p99_low_s) / few.p99_s;
  const double many_width = (many.p99_high_s - many.p99_low_s) / many.p99_s;
  EXPECT_LT(many_width, few_width / 3);
}

// The bootstrap distribution of a quantile is known: of 1 .. 1000 the 990th smallest of 1000 draws
// is at most k with the probability that 990 at least of 1000 draws are at most k, binomial with
// k / 1000.  Its 2.5th and 97.5th percentiles are 982 and 995.
TEST(Statistics, TheIntervalIsThatOfTheBootstrap) {
  const Distribution d = distribution(one_to(1000), 3);
  EXPECT_NEAR(d.p99_low_s, 982, 1);
  EXPECT_NEAR(d.p99_high_s, 995, 1);
  EXPECT_LT(d.p99_lowest_s, d.p99_low_s);
  EXPECT_GT(d.p99_highest_s, d.p99_high_s);
}

TEST(Statistics, OfOneValueEverythingIsThatValue) {
  const Distribution d = distribution({0.25}, 1);
  EXPECT_EQ(d.p99_low_s, 0.25);
  EXPECT_EQ(d.p99_highest_s, 0.25);
}

TEST(Statistics, TheIntervalIsTheSeeds) {
  EXPECT_EQ(distribution(one_to(500), 7).p99_low_s, distribution(one_to(500), 7).p99_low_s);
}

TEST(Statistics, NoValuesGiveZeros) {
  const Distribution d = distribution({}, 1);
  EXPECT_EQ(d.count, 0u);
  EXPECT_EQ(d.p99_s, 0);
}

}  // namespace
