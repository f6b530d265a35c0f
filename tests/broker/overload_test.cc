#include "broker/overload.h"

#include <gmock/gmock.h>

#include "tests/values.h"

namespace broker {
namespace {

using namespace std::chrono_literals;

// Ten images a second: half a second of patience is five images.
Overload::Singles waiting(std::size_t images) {
  return {.waiting = images, .per_second = 10, .patience = 500ms};
}

class OverloadTest : public testing::Test {
 protected:
  // Ten images a second come, until just before `until`.
  void arrivals(wire::Duration from, wire::Duration until) {
    for (wire::Duration t = from; t < until; t += 100ms) overload.on_arrival(at(t));
  }

  Overload overload;
};

TEST_F(OverloadTest, BeginsWhenANewImageWouldWaitLongerThanPatience) {
  arrivals(-5s, 1ms);
  EXPECT_FALSE(overload.update(waiting(4), at(0ms)));
  EXPECT_FALSE(overload.on());
  EXPECT_TRUE(overload.update(waiting(5), at(0ms)));
  EXPECT_TRUE(overload.on());
  EXPECT_FALSE(overload.update(waiting(50), at(10ms)));
  EXPECT_TRUE(overload.on());
}

TEST_F(OverloadTest, ABurstIsWaitedForUnlessItsLineIsTwiceAsLong) {
  EXPECT_FALSE(overload.update(waiting(9), at(0ms)));
  EXPECT_TRUE(overload.update(waiting(10), at(0ms)));
}

TEST_F(OverloadTest, DoesNotBeginBeforeServiceTimesAreKnown) {
  EXPECT_FALSE(overload.update({.waiting = 1000, .per_second = {}, .patience = 500ms}, at(0ms)));
  EXPECT_FALSE(overload.on());
}

TEST_F(OverloadTest, BeginsWithTheFirstImageIfNoStageIsLeft) {
  EXPECT_TRUE(overload.update({.waiting = 0, .per_second = 0, .patience = 500ms}, at(0ms)));
}

TEST_F(OverloadTest, EndsWhenItIsCalmButNotWithinASecond) {
  (void)overload.update(waiting(10), at(0ms));
  EXPECT_FALSE(overload.update(waiting(0), at(999ms)));
  EXPECT_TRUE(overload.on());
  EXPECT_TRUE(overload.update(waiting(0), at(1s)));
  EXPECT_FALSE(overload.on());
}

TEST_F(OverloadTest, GoesOnWhileAnImageWaits) {
  (void)overload.update(waiting(10), at(0ms));
  EXPECT_FALSE(overload.update(waiting(1), at(5s)));
  EXPECT_TRUE(overload.on());
}

TEST_F(OverloadTest, GoesOnWhileAlmostAsManyImagesComeAsTheStagesCanDo) {
  (void)overload.update(waiting(10), at(0ms));
  arrivals(0ms, 3s);
  EXPECT_FALSE(overload.update(waiting(0), at(2900ms)));
  EXPECT_TRUE(overload.on());
  EXPECT_TRUE(overload.update(waiting(0), at(3400ms)));  // None has come for half a second.
}

TEST_F(OverloadTest, MayBeginAgain) {
  (void)overload.update(waiting(10), at(0ms));
  (void)overload.update(waiting(0), at(2s));
  EXPECT_TRUE(overload.update(waiting(10), at(3s)));
  EXPECT_FALSE(overload.update(waiting(0), at(3500ms)));
  EXPECT_TRUE(overload.on());
}

TEST(ArrivalRate, IsThatOfAboutTheLastHalfSecond) {
  ArrivalRate rate(300ms);
  EXPECT_EQ(rate.per_second(at(1s)), 0);
  for (wire::Duration t = 0ms; t < 10s; t += 20ms) rate.add(at(t));
  const double now = rate.per_second(at(10s));
  EXPECT_NEAR(now, 50, 2);
  EXPECT_NEAR(rate.per_second(at(10300ms)), now / 2.718, 0.1);
}

}  // namespace
}  // namespace broker
