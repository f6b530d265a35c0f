#include "replay/sim/failover_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace replay::sim {
namespace {

TEST(FailoverTrial, EveryRequestIsAnsweredOnceThoughTheFirstBrokerIsFaulty) {
  FailoverReport sum;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const FailoverReport report = run_failover_trial(seed);
    EXPECT_THAT(report.violations, testing::IsEmpty()) << "seed " << seed;
    sum.failovers += report.failovers;
    sum.moved += report.moved;
    sum.resubmitted += report.resubmitted;
  }
  EXPECT_GT(sum.failovers, 40u);
  EXPECT_GT(sum.moved, 40u);
  EXPECT_GT(sum.resubmitted, 40u);
}

TEST(FailoverTrial, TheSameSeedGivesTheSameRun) {
  for (const std::uint64_t seed : {3, 4, 5}) {
    const FailoverReport one = run_failover_trial(seed), other = run_failover_trial(seed);
    EXPECT_EQ(one.counts.delivered, other.counts.delivered);
    EXPECT_EQ(one.moved, other.moved);
    EXPECT_EQ(one.resubmitted, other.resubmitted);
  }
}

}  // namespace
}  // namespace replay::sim
