#include "stages/emulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace stages {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// `count` draws, sorted, in seconds.
std::vector<double> draws(LatencySource source, std::size_t count) {
  Emulation emulation(std::move(source), machine::Rng(1));
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(wire::to_seconds(emulation.draw({})));
  std::ranges::sort(out);
  return out;
}

Recorded recorded(std::vector<double> values) {
  return {std::make_shared<const std::vector<double>>(std::move(values))};
}

TEST(Emulation, ARecordingKeepsItsNeighboursAndStartsOver) {
  Emulation emulation(recorded({1, 2, 3, 4, 5}), machine::Rng(7));
  const double first = wire::to_seconds(emulation.draw({}));
  double before = first;
  for (int i = 1; i < 10; ++i) {
    const double next = wire::to_seconds(emulation.draw({}));
    EXPECT_DOUBLE_EQ(next, before == 5 ? 1 : before + 1);
    before = next;
  }
}

TEST(Emulation, EachStageBeginsARecordingAtAPlaceOfItsOwn) {
  std::vector<double> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  machine::Rng rng(1);
  Emulation one(recorded(values), rng.split());
  Emulation other(recorded(values), rng.split());
  EXPECT_NE(one.draw({}), other.draw({}));
}

TEST(Emulation, AParetosTailFallsByItsShape) {
  const std::vector<double> sorted = draws(Pareto{.shape = 1.5, .scale_s = 0.1}, 100'000);
  EXPECT_GE(sorted.front(), 0.1);
  // P(T > t) = (0.1 / t)^1.5: half above 0.1 * 2^(2/3), one in a hundred above 0.1 * 100^(2/3).
  EXPECT_NEAR(sorted[50'000], 0.1 * std::pow(2, 2.0 / 3), 0.002);
  EXPECT_NEAR(sorted[99'000], 0.1 * std::pow(100, 2.0 / 3), 0.1);
}

TEST(Emulation, ALogNormalHasItsMedianAndDeviation) {
  const std::vector<double> sorted = draws(LogNormal{.median_s = 0.2, .sigma = 0.5}, 100'000);
  EXPECT_NEAR(sorted[50'000], 0.2, 0.003);
  EXPECT_NEAR(sorted[84'134], 0.2 * std::exp(0.5), 0.006);  // One deviation above.
}

TEST(Emulation, ASpellCountsFromTheFirstTask) {
  Emulation emulation(recorded({0.1}), machine::Rng(1),
                      {.factor = 4, .after = seconds(10), .length = seconds(5)});
  const wire::Instant first{seconds(100)};
  EXPECT_EQ(emulation.draw(first), wire::Duration(milliseconds(100)));
  EXPECT_EQ(emulation.draw(first + milliseconds(9'999)), wire::Duration(milliseconds(100)));
  EXPECT_EQ(emulation.draw(first + seconds(10)), wire::Duration(milliseconds(400)));
  EXPECT_EQ(emulation.draw(first + milliseconds(14'999)), wire::Duration(milliseconds(400)));
  EXPECT_EQ(emulation.draw(first + seconds(15)), wire::Duration(milliseconds(100)));
}

TEST(Emulation, NothingTakesLongerThanADay) {
  Emulation emulation(Pareto{.shape = 0.1, .scale_s = 1e5}, machine::Rng(1));
  EXPECT_EQ(emulation.draw({}), wire::kDurationMax);
}

}  // namespace
}  // namespace stages
