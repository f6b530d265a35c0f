#include "machine/telemetry.h"

#include <gmock/gmock.h>

namespace machine {
namespace {

using namespace std::chrono_literals;
using testing::Each;

TEST(Histogram, CountsADurationInTheFirstBucketWhoseBoundItDoesNotExceed) {
  Histogram histogram;
  histogram.observe(0ms);
  histogram.observe(1ms);
  histogram.observe(1ms + 1ns);
  EXPECT_EQ(histogram.counts()[0], 2u);
  EXPECT_EQ(histogram.counts()[1], 1u);
}

TEST(Histogram, KeepsWhatIsAboveAllBounds) {
  Histogram histogram;
  histogram.observe(10s);
  histogram.observe(10s + 1ns);
  histogram.observe(24h);
  EXPECT_EQ(histogram.counts()[Histogram::kBounds.size() - 1], 1u);
  EXPECT_EQ(histogram.counts().back(), 2u);
}

TEST(Histogram, KnowsHowManyThereWereAndTheirSum) {
  Histogram histogram;
  EXPECT_THAT(histogram.counts(), Each(0u));
  histogram.observe(3ms);
  histogram.observe(4ms);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.sum(), 7ms);
}

TEST(Report, HasASampleForEachValueOfALabel) {
  Telemetry report;
  report.counters("drops_total", "Drops.", "reason", {{"late", 3}, {"bad", 0}});
  ASSERT_EQ(report.metrics.size(), 1u);
  const Metric& drops = report.metrics[0];
  EXPECT_EQ(drops.kind, Metric::Kind::counter);
  ASSERT_EQ(drops.samples.size(), 2u);
  EXPECT_EQ(drops.samples[0].labels, (Metric::Labels{{"reason", "late"}}));
  EXPECT_EQ(std::get<double>(drops.samples[0].value), 3);
}

}  // namespace
}  // namespace machine
