#include "replay/load/points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace replay::load {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Scenario scenario(const std::vector<std::string>& policies) {
  Scenario scenario;
  for (const std::string& name : policies) {
    scenario.policies.push_back(*named_policy_variant(name));
  }
  return scenario;
}

std::vector<std::string> names(const std::vector<Point>& points) {
  std::vector<std::string> names;
  for (const Point& point : points) {
    names.push_back(point.name + " " + std::to_string(point.scenario.collages) + " " +
                    std::to_string(static_cast<int>(point.scenario.arrivals.per_second)));
  }
  return names;
}

TEST(Points, AreThePoliciesOfAScenarioThatDoesNotSweep) {
  EXPECT_THAT(names(points_of(scenario({"none", "collage"}))),
              ElementsAre("none 0 0", "collage 0 0"));
}

TEST(Points, OfASweepLeaveOutMoreCollageStagesThanAPolicyUses) {
  Scenario sweep = scenario({"none", "brownout"});
  sweep.collage_counts = {1, 3};
  sweep.loads = {29, 480};
  EXPECT_THAT(names(points_of(sweep)),
              ElementsAre("none 1 29", "brownout 1 29", "none 1 480", "brownout 1 480",
                          "brownout 3 29", "brownout 3 480"));
}

TEST(Points, WithAFloodRunAgainWithoutItForAsLong) {
  Scenario flood = scenario({"none"});
  flood.producers = {{.name = "flood", .per_second = 90, .floods = true},
                     {.name = "polite", .count = 2, .per_second = 5}};
  const std::vector<Point> points = points_of(flood);
  EXPECT_THAT(names(points), ElementsAre("none 0 0", "none-alone 0 0"));
  EXPECT_EQ(offered_per_second(flood), 100);
  EXPECT_EQ(images_of(points[0], flood, 100), 900u);
  EXPECT_EQ(images_of(points[1], flood, 100), 90u);
  ASSERT_EQ(senders_of(points[1].scenario).size(), 2u);
  EXPECT_EQ(senders_of(points[1].scenario)[1].name, "polite-1");
  LoadGenerator::Options options;
  set_load(options, points[0].scenario, false);
  EXPECT_EQ(options.producers(), 3u);
  EXPECT_EQ(options.arrivals.per_second, 90);
  EXPECT_EQ(options.more[1].per_second, 5);
  EXPECT_FALSE(options.retry_refused);
}

TEST(Points, AGroupsShareIsThatOfItsProducersTogether) {
  Scenario shared = scenario({"none"});
  shared.arrivals = {.kind = Arrivals::Kind::poisson, .per_second = 100};
  shared.producers = {{.name = "urgent", .share = 0.2},
                      {.name = "usual", .count = 4, .share = 0.8}};
  LoadGenerator::Options options;
  set_load(options, shared, false);
  EXPECT_EQ(options.producers(), 5u);
  EXPECT_EQ(options.arrivals.per_second, 20);
  EXPECT_EQ(options.more[3].per_second, 20);
}

TEST(Points, RefusedImagesAreSentAgainWhereTheyWereBefore) {
  LoadGenerator::Options options;
  Scenario plain = scenario({"none"});
  set_load(options, plain, false);
  EXPECT_TRUE(options.retry_refused);
  set_load(options, plain, true);
  EXPECT_FALSE(options.retry_refused);
  plain.arrivals = {.kind = Arrivals::Kind::steps, .steps = {{5, 1s}}};
  set_load(options, plain, false);
  EXPECT_FALSE(options.retry_refused);
}

TEST(Schedule, FollowsItsSteps) {
  Schedule schedule({.kind = Arrivals::Kind::steps, .steps = {{100, 10s}, {1000, 1s}}}, 1);
  std::vector<int> by_second(11);
  wire::Duration at{};
  for (int i = 0; i < 20'000; ++i) {
    at += schedule.gap();
    by_second[static_cast<std::size_t>(wire::to_seconds(at)) % 11] += 1;
  }
  // Ten cycles of 2,000 images.
  for (std::size_t second = 0; second < 10; ++second) EXPECT_NEAR(by_second[second], 1000, 150);
  EXPECT_NEAR(by_second[10], 10'000, 500);
  EXPECT_NEAR(wire::to_seconds(at), 110, 2);
}

}  // namespace
}  // namespace replay::load
