#include "stages/sink/patience.h"

#include <gmock/gmock.h>

#include "tests/values.h"

namespace stages::sink {
namespace {

using namespace std::chrono_literals;

constexpr wire::WorkerId worker(std::uint64_t n) { return {1, n}; }

Patience::Policy patience_policy() {
  return {.learned = true,
          .initial = 250ms,
          .min = 20ms,
          .max = 900ms,
          .window = 10,
          .sample_min = 10,
          .worker_max = 3,
          .budget_share = 0.2};
}

void tell(Patience& patience, std::uint64_t n, std::vector<int> times_ms, wire::Duration t = 0s) {
  for (const int ms : times_ms) {
    const std::chrono::milliseconds time(ms);
    patience.on_answer(worker(n), time, time, at(t));
  }
}

TEST(Patience, IsInitialUntilEnoughIsKnown) {
  Patience patience(patience_policy());
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().patience, 250ms);
  tell(patience, 1, {10, 20, 30, 40, 50, 60, 70, 80, 90});
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().patience, 250ms);
  EXPECT_EQ(patience.learned().p95, 0ms);
  tell(patience, 1, {100});
  patience.learn(at(0s));
  EXPECT_NE(patience.learned().p95, 0ms);
}

TEST(Patience, IsTheLesserOfTheP95AndOneAndAHalfMedians) {
  Patience patience(patience_policy());
  tell(patience, 1, {100, 100, 100, 100, 100, 100, 100, 100, 100, 500});
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().patience, 160ms);
  EXPECT_EQ(patience.learned().p95, 500ms);
  tell(patience, 1, {100, 100, 100, 100, 100, 100, 100, 100, 110, 110});
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().patience, 110ms);
}

TEST(Patience, QuantilesAreOfTheTimesInTheWindow) {
  Patience patience(patience_policy());
  tell(patience, 1, {900, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100});  // The first is forgotten.
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().p95, 100ms);
  EXPECT_EQ(patience.learned().p99, 100ms);
  EXPECT_EQ(patience.learned().budget, 80ms);  // One in five is slower.
}

// Ten answers after 10 to 100 ms of service, each of which had waited for a free stage before.
void tell_after(Patience& patience, std::chrono::milliseconds waited) {
  for (int time = 10; time <= 100; time += 10) {
    const std::chrono::milliseconds service(time);
    patience.on_answer(worker(1), service, service + waited, at(0s));
  }
}

TEST(Patience, HedgesFollowAgesAndSuspicionFollowsServiceTimes) {
  Patience patience(patience_policy());
  tell_after(patience, 300ms);
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().p95, 400ms);
  EXPECT_EQ(patience.learned().budget, 380ms);
  EXPECT_EQ(patience.learned().p99, 100ms);
}

TEST(Patience, CountsWaitsButDoesNotFollowTheQueue) {
  Patience patience(patience_policy());
  tell_after(patience, 2ms);
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().patience, 83200us);  // 1.6 x 52 ms.
  tell_after(patience, 300ms);
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().patience, 88ms);  // 1.1 x 1.6 x 50 ms.
}

TEST(Patience, StaysWithinItsBounds) {
  Patience patience(patience_policy());
  tell(patience, 1, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().patience, 20ms);
  tell(patience, 1, std::vector<int>(10, 5000));
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().patience, 900ms);
}

TEST(Patience, OneBadWorkerCannotDragItUp) {
  Patience patience(patience_policy());
  tell(patience, 1, std::vector<int>(10, 100));
  tell(patience, 2, std::vector<int>(10, 100));
  tell(patience, 3, std::vector<int>(10, 201));
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().p99, 100ms);
  tell(patience, 3, std::vector<int>(10, 200));  // Twice the usual is still healthy.
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().p99, 200ms);
}

TEST(Patience, AtWorkerMaxTheOneHeardFromLongestAgoGivesWay) {
  Patience patience(patience_policy());
  tell(patience, 1, std::vector<int>(10, 100));
  tell(patience, 2, std::vector<int>(10, 100));
  tell(patience, 3, std::vector<int>(10, 100));
  tell(patience, 1, {100});
  tell(patience, 4, std::vector<int>(10, 150));  // Worker 2 gives way.
  tell(patience, 2, std::vector<int>(10, 150));  // Worker 3 gives way.
  tell(patience, 3, std::vector<int>(10, 150));  // Worker 1 gives way.
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().budget, 150ms);
  EXPECT_EQ(patience.learned().patience, 150ms);
}

// Nine s-CNNs are started again, with a network that is slower.
TEST(Patience, AFleetIsNotJudgedByTheOneBeforeIt) {
  Patience::Policy many = patience_policy();
  many.worker_max = 100;
  Patience patience(many);
  for (std::uint64_t n = 1; n <= 9; ++n) tell(patience, n, std::vector<int>(10, 150));
  for (std::uint64_t n = 10; n <= 18; ++n) tell(patience, n, std::vector<int>(10, 400), 30s);
  patience.learn(at(60s));
  EXPECT_EQ(patience.learned().patience, 150ms);
  patience.learn(at(61s));
  EXPECT_EQ(patience.learned().patience, 400ms);
  EXPECT_EQ(patience.learned().p99, 400ms);
  EXPECT_EQ(patience.learned().budget, 400ms);
}

TEST(Patience, WhatIsKnownIsKeptUntilThereIsEnoughThatIsNewer) {
  Patience patience(patience_policy());
  tell(patience, 1, std::vector<int>(10, 150));
  patience.learn(at(0s));
  patience.learn(at(1h));
  EXPECT_EQ(patience.learned().patience, 150ms);
  tell(patience, 2, std::vector<int>(9, 300), 1h);
  patience.learn(at(1h));
  EXPECT_EQ(patience.learned().patience, 240ms);  // The median is of both.
  tell(patience, 2, {300}, 1h);
  patience.learn(at(1h));
  EXPECT_EQ(patience.learned().patience, 300ms);
}

TEST(Patience, WhenFixedItStaysAndTheRestIsLearned) {
  Patience::Policy fixed = patience_policy();
  fixed.learned = false;
  Patience patience(fixed);
  tell(patience, 1, std::vector<int>(10, 100));
  patience.learn(at(0s));
  EXPECT_EQ(patience.learned().patience, 250ms);
  EXPECT_EQ(patience.learned().p95, 100ms);
}

}  // namespace
}  // namespace stages::sink
