#include "machine/quantile.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <numeric>
#include <vector>

namespace {

using namespace std::chrono_literals;
using machine::quantile;
using machine::quantile_index;
using machine::quantile_of_unsorted;

TEST(Quantile, IsTheSmallestValueThatEnoughValuesDoNotExceed) {
  std::vector<double> values(100);
  std::iota(values.begin(), values.end(), 1.0);
  EXPECT_EQ(quantile(values, 0.5), 50);
  EXPECT_EQ(quantile(values, 0.95), 95);
  EXPECT_EQ(quantile(values, 0.951), 96);
}

TEST(Quantile, OfZeroAndOneAreTheSmallestAndTheLargestValue) {
  const std::deque<int> values = {3, 5, 9};
  EXPECT_EQ(quantile(values, 0), 3);
  EXPECT_EQ(quantile(values, 1), 9);
}

TEST(Quantile, OfOneValueIsThatValue) {
  const std::vector<int> values = {7};
  for (const double p : {0.0, 0.5, 1.0}) EXPECT_EQ(quantile(values, p), 7);
}

TEST(Quantile, OfValuesInAnyOrderIsThatOfTheSortedOnes) {
  for (const double p : {0.0, 0.2, 0.5, 0.75, 0.99, 1.0}) {
    std::vector<std::chrono::nanoseconds> values = {40ms, 10ms, 30ms, 20ms, 10ms};
    const std::vector<std::chrono::nanoseconds> sorted = {10ms, 10ms, 20ms, 30ms, 40ms};
    EXPECT_EQ(quantile_of_unsorted(values, p), quantile(sorted, p)) << p;
  }
}

TEST(QuantileDeathTest, OfNoValuesOrBeyondOneIsAMistakeOfOurs) {
  EXPECT_DEATH(quantile_index(0, 0.5), "check failed");
  EXPECT_DEATH(quantile_index(4, 1.5), "check failed");
}

}  // namespace
