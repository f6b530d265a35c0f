#include "producer/push/latencies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "machine/quantile.h"
#include "machine/random.h"

namespace producer {
namespace {

using namespace std::chrono_literals;

TEST(Latencies, QuantilesAreThoseOfTheValuesAndAtMostALittleMore) {
  machine::Rng rng(7);
  Latencies latencies;
  std::vector<wire::Duration> values;
  for (int i = 0; i < 5000; ++i) {
    values.push_back(wire::from_seconds(1e-6 + 20 * rng.uniform() * rng.uniform() * rng.uniform()));
    latencies.observe(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double p : {0.0, 0.5, 0.95, 0.99, 1.0}) {
    const wire::Duration exact = machine::quantile(values, p);
    EXPECT_GE(latencies.quantile(p), exact);
    EXPECT_LE(latencies.quantile(p), exact + exact / 60 + 1us);
  }
  EXPECT_EQ(latencies.max(), values.back());
}

TEST(Latencies, ExtremesHaveABucket) {
  Latencies latencies;
  latencies.observe(-1s);
  EXPECT_EQ(latencies.quantile(1), 0s);
  latencies.observe(100h);
  EXPECT_EQ(latencies.quantile(1), 24h);
  EXPECT_EQ(latencies.count(), 2u);
}

}  // namespace
}  // namespace producer
