#include "broker/policy.h"

#include <gmock/gmock.h>

namespace broker {
namespace {

using namespace std::chrono_literals;
using Hedge = Redundancy::Hedge;

TEST(Policy, EveryPublishedNameIsKnown) {
  EXPECT_THAT(redundancy_names(),
              testing::ElementsAre("none", "hedge", "hedge-budget", "duplicate", "collage",
                                   "collage-hedge", "collage-two", "collage-first"));
  for (const std::string& name : redundancy_names()) EXPECT_TRUE(named_redundancy(name)) << name;
}

TEST(Policy, AnUnknownNameIsNoPolicy) {
  EXPECT_EQ(named_redundancy("colage"), std::nullopt);
  EXPECT_EQ(named_redundancy(""), std::nullopt);
}

TEST(Policy, NamesSayHowManyCopiesAndCovers) {
  EXPECT_EQ(named_redundancy("none")->copies, 1);
  EXPECT_EQ(named_redundancy("none")->covers, 0);
  EXPECT_EQ(named_redundancy("duplicate")->copies, 2);
  EXPECT_EQ(named_redundancy("collage")->covers, 1);
  EXPECT_EQ(named_redundancy("collage-first")->covers, 1);
  EXPECT_EQ(named_redundancy("collage-two")->covers, 2);
}

TEST(Policy, NamesSayWhenToHedge) {
  EXPECT_EQ(named_redundancy("none")->hedge, Hedge::never);
  EXPECT_EQ(named_redundancy("hedge")->hedge, Hedge::p95);
  EXPECT_EQ(named_redundancy("hedge-budget")->hedge, Hedge::budget);
  EXPECT_EQ(named_redundancy("collage")->hedge, Hedge::never);
  EXPECT_EQ(named_redundancy("collage-hedge")->hedge, Hedge::late_p95);
}

TEST(Policy, SilenceIsThreeMissedHeartbeatsAndALittle) {
  Policy policy;
  policy.heartbeat = 100ms;
  EXPECT_EQ(policy.silence_max(), 350ms);
}

}  // namespace
}  // namespace broker
