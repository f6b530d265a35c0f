#include "broker/health.h"

#include <gtest/gtest.h>

#include <chrono>

namespace broker {
namespace {

using namespace std::chrono_literals;

Health health(std::initializer_list<wire::Duration> services) {
  Health health;
  for (const wire::Duration service : services) health.add(service);
  return health;
}

TEST(Health, IsUnknownBeforeFiveTasks) {
  const Health young = health({900ms, 900ms, 900ms, 900ms});
  EXPECT_FALSE(young.median().has_value());
  EXPECT_FALSE(young.slow(100ms, false));
}

TEST(Health, IsTheMiddleOfTheLastFiveTasks) {
  EXPECT_EQ(health({1s, 10ms, 50ms, 20ms, 40ms, 30ms}).median(), wire::Duration(30ms));
}

TEST(Health, FourSlowTasksOfFiveMakeAWorkerSlow) {
  EXPECT_TRUE(health({201ms, 201ms, 90ms, 201ms, 201ms}).slow(100ms, false));
  EXPECT_FALSE(health({201ms, 201ms, 90ms, 90ms, 201ms}).slow(100ms, false));
  EXPECT_FALSE(health({200ms, 200ms, 200ms, 200ms, 200ms}).slow(100ms, false));
}

TEST(Health, ThreeQuickTasksOfFiveMakeItSound) {
  EXPECT_TRUE(health({201ms, 201ms, 90ms, 90ms, 201ms}).slow(100ms, true));
  EXPECT_FALSE(health({201ms, 201ms, 90ms, 90ms, 90ms}).slow(100ms, true));
}

}  // namespace
}  // namespace broker
