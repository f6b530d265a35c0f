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

TEST(Policy, NamesSayHowManySinglesAndCollages) {
  EXPECT_EQ(named_redundancy("none")->singles_per_image, 1);
  EXPECT_EQ(named_redundancy("none")->collages_per_batch, 0);
  EXPECT_EQ(named_redundancy("duplicate")->singles_per_image, 2);
  EXPECT_EQ(named_redundancy("collage")->collages_per_batch, 1);
  EXPECT_EQ(named_redundancy("collage-first")->collages_per_batch, 1);
  EXPECT_EQ(named_redundancy("collage-two")->collages_per_batch, 2);
}

TEST(Policy, NamesSayWhenToHedge) {
  EXPECT_EQ(named_redundancy("none")->hedge, Hedge::never);
  EXPECT_EQ(named_redundancy("hedge")->hedge, Hedge::p95);
  EXPECT_EQ(named_redundancy("hedge-budget")->hedge, Hedge::budget);
  EXPECT_EQ(named_redundancy("collage")->hedge, Hedge::never);
  EXPECT_EQ(named_redundancy("collage-hedge")->hedge, Hedge::late_p95);
}

TEST(Policy, WhoHasAKeyCannotClaimTheWeightOfAnId) {
  const Weights weights = {{"cameras", 4}, {"00000000000000010000000000000002", 2}};
  EXPECT_EQ(weight_of(weights, "cameras", {1, 2}), 4u);
  EXPECT_EQ(weight_of(weights, "archive", {1, 2}), 1u);
  EXPECT_EQ(weight_of(weights, "", {1, 2}), 2u);
}

TEST(Policy, SilenceIsThreeMissedHeartbeatsAndALittle) {
  Policy policy;
  policy.heartbeat = 100ms;
  EXPECT_EQ(policy.silence_max(), 350ms);
}

}  // namespace
}  // namespace broker
