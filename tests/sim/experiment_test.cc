#include "replay/sim/batch_replay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "runtime/quantiles.h"

namespace replay::sim {
namespace {

BatchOptions options(const std::string& policy, std::size_t batches) {
  BatchOptions options;
  options.policy = policy;
  options.batches = batches;
  options.table = runtime::load_quantiles(COLLAGE_QUANTILES);
  return options;
}

double quantile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1))];
}

TEST(BatchReplay, EveryPolicyComesNearWhatAnIdealPipelineGets) {
  struct Ideal {
    double extra, p50, p95, p99;
  };
  // Of 200,000 batches, in seconds; see replay/quantiles/cloud-latency-2019.csv for the table.
  const std::map<std::string, Ideal> ideals = {{"none", {0, 0.199, 0.721, 0.766}},
                                               {"hedge", {0.05, 0.199, 0.377, 0.427}},
                                               {"hedge-budget", {0.11, 0.199, 0.349, 0.399}},
                                               {"duplicate", {1, 0.162, 0.199, 0.238}},
                                               {"collage", {0.111, 0.199, 0.215, 0.233}},
                                               {"collage-hedge", {0.111, 0.199, 0.215, 0.233}},
                                               {"collage-two", {0.222, 0.196, 0.215, 0.215}}};
  for (const auto& [policy, ideal] : ideals) {
    const BatchReplay replay = replay_batches(options(policy, 5000));
    EXPECT_TRUE(replay.violations.empty()) << policy << ": " << replay.violations.front();
    EXPECT_EQ(replay.request_s.size(), 45'000u) << policy;
    EXPECT_NEAR(replay.extra_work, ideal.extra, 0.01) << policy;
    EXPECT_NEAR(quantile(replay.batch_s, 0.50), ideal.p50, 0.05 * ideal.p50) << policy;
    EXPECT_NEAR(quantile(replay.batch_s, 0.95), ideal.p95, 0.06 * ideal.p95) << policy;
    EXPECT_NEAR(quantile(replay.batch_s, 0.99), ideal.p99, 0.10 * ideal.p99) << policy;
  }
}

TEST(BatchReplay, TheSameOptionsGiveTheSameResultToTheBit) {
  const BatchReplay first = replay_batches(options("collage-hedge", 300));
  const BatchReplay second = replay_batches(options("collage-hedge", 300));
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_EQ(first.batch_s, second.batch_s);
  BatchOptions other = options("collage-hedge", 300);
  other.seed = 2;
  EXPECT_NE(replay_batches(other).hash, first.hash);
}

TEST(BatchReplay, EveryGridIsReplayed) {
  for (int grid = wire::kGridSideMin; grid <= wire::kGridSideMax; ++grid) {
    BatchOptions small = options("collage", 200);
    small.grid = grid;
    const BatchReplay replay = replay_batches(small);
    EXPECT_TRUE(replay.violations.empty()) << grid << ": " << replay.violations.front();
    EXPECT_NEAR(replay.extra_work, 1.0 / (grid * grid), 1e-3);
  }
}

TEST(BatchReplay, MeasuredComputeAndLinksAddToTheLatency) {
  BatchOptions slow = options("collage", 500);
  slow.table = {{0, 0.0}, {1, 0.0}};
  slow.single_compute = std::chrono::milliseconds(8);
  slow.collage_compute = std::chrono::milliseconds(12);
  slow.link = std::chrono::microseconds(500);
  const BatchReplay replay = replay_batches(slow);
  EXPECT_TRUE(replay.violations.empty());
  // Producer, broker, s-CNN, sink, broker, producer.
  EXPECT_DOUBLE_EQ(quantile(replay.batch_s, 0.5), 0.008 + 5 * 0.0005);
}

}  // namespace
}  // namespace replay::sim
