#include "broker/service_time.h"

#include <gmock/gmock.h>

namespace broker {
namespace {

using namespace std::chrono_literals;

void add(ServiceTime& service, int count, wire::Duration each) {
  for (int i = 0; i < count; ++i) service.add(each);
}

double microseconds(wire::Duration time) { return static_cast<double>(time / 1us); }

TEST(ServiceTime, IsNotKnownBeforeTheEighthTask) {
  ServiceTime service;
  add(service, 7, 100ms);
  EXPECT_FALSE(service.known());
  service.add(100ms);
  EXPECT_TRUE(service.known());
}

TEST(ServiceTime, IsNeverNothing) {
  ServiceTime service;
  EXPECT_EQ(service.mean(), 1us);
  add(service, 8, 0ms);
  EXPECT_EQ(service.mean(), 1us);
}

TEST(ServiceTime, TheFirstTasksCountAlike) {
  ServiceTime service;
  service.add(900ms);
  service.add(100ms);
  service.add(200ms);
  EXPECT_NEAR(microseconds(service.mean()), 400'000, 1);
}

TEST(ServiceTime, TasksThatAllTakeAsLongDoNotStray) {
  ServiceTime service;
  add(service, 20, 100ms);
  EXPECT_NEAR(microseconds(service.mean()), 100'000, 1);
  EXPECT_NEAR(microseconds(service.high()), 100'000, 1);
}

TEST(ServiceTime, FewTasksTakeLongerThanHigh) {
  ServiceTime service;
  for (int i = 0; i < 500; ++i) service.add(i % 2 == 0 ? 80ms : 120ms);
  EXPECT_NEAR(microseconds(service.mean()), 100'000, 2'000);
  EXPECT_NEAR(microseconds(service.high()), 180'000, 5'000);  // The mean deviation is 20 ms.
}

TEST(ServiceTime, FollowsWhatTheLastTasksTook) {
  ServiceTime service;
  add(service, 1000, 100ms);
  add(service, 64, 300ms);
  EXPECT_GT(service.mean(), 200ms);
  EXPECT_LT(service.mean(), 250ms);
  add(service, 400, 300ms);
  EXPECT_NEAR(microseconds(service.mean()), 300'000, 1'000);
  EXPECT_NEAR(microseconds(service.high()), 300'000, 10'000);
}

}  // namespace
}  // namespace broker
