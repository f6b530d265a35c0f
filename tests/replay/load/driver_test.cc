#include "replay/load/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace {

using namespace std::chrono_literals;
using replay::load::Arrivals;
using replay::load::Driver;
using testing::ElementsAre;

wire::Instant at(wire::Duration d) { return {d}; }

constexpr machine::Peer kBroker{Driver::kBroker, 0};
constexpr machine::Peer kSink{Driver::kSink, 0};

struct Told {
  std::vector<replay::load::Answer> answers;
  std::vector<wire::Duration> batches;
  std::vector<std::size_t> marks;
};

Driver make(std::size_t warm_up, Told& told, Arrivals arrivals = {},
            std::vector<wire::Duration> marks = {}) {
  Driver::Options options;
  options.marks = std::move(marks);
  options.arrivals = arrivals;
  options.images = 4;
  options.slots = 2;
  options.warm_up = warm_up;
  options.classifiers = 2;
  options.assemblers = 1;
  options.phase_max = 10s;
  options.probe_every = 2ms;
  producer::Policy policy;
  policy.producer = {1, 2};
  return Driver(
      options, policy,
      {.image =
           [](std::size_t i) {
             return wire::Payload(wire::Payload::Bytes{static_cast<std::uint8_t>(i)});
           },
       .on_answer = [&told](const auto& answer) { told.answers.push_back(answer); },
       .on_batch = [&told](std::size_t, wire::Instant,
                           wire::Duration latency) { told.batches.push_back(latency); },
       .on_begin = {},
       .on_mark = [&told](std::size_t mark, wire::Instant) { told.marks.push_back(mark); },
       .on_health = {}});
}

template <class T>
std::vector<T> of(const machine::Actions& actions) {
  std::vector<T> found;
  for (const machine::Outgoing& out : actions.messages) {
    if (const T* m = std::get_if<T>(&out.message)) found.push_back(*m);
  }
  return found;
}

wire::Status status(std::uint64_t classifiers, std::uint64_t outstanding) {
  return {{{"classifiers", classifiers},
           {"assemblers", 1},
           {"sinks", 1},
           {"requests_open", 0},
           {"tasks_outstanding", outstanding},
           {"collages_outstanding", 0}}};
}

wire::Result answer(wire::RequestId id) {
  wire::Result result;
  result.request = id;
  result.status = wire::ResultStatus::answered;
  result.source = wire::Source::single;
  result.predictions = {{"cat", {{0}, 1.0f}}};
  return result;
}

// Brings a driver to its first batch at `now`; returns its submits.
std::vector<wire::Submit> begin(Driver& driver, wire::Instant now) {
  (void)driver.on_timeout(now);
  (void)driver.on_message(kBroker, wire::Welcome{{7}, 500ms, 256, 1000, 5s}, now);
  (void)driver.on_message(kBroker, status(2, 0), now);
  return of<wire::Submit>(driver.on_message(kSink, status(2, 0), now));
}

TEST(Driver, WaitsUntilTheFleetIsReady) {
  Told told;
  Driver driver = make(0, told);
  (void)driver.on_timeout(at(0ms));
  (void)driver.on_message(kBroker, wire::Welcome{{7}, 500ms, 256, 1000, 5s}, at(1ms));
  EXPECT_TRUE(of<wire::Submit>(driver.on_message(kBroker, status(1, 0), at(2ms))).empty());
  (void)driver.on_message(kBroker, status(2, 0), at(4ms));
  EXPECT_EQ(of<wire::Submit>(driver.on_message(kSink, status(2, 0), at(5ms))).size(), 2u);
}

TEST(Driver, SendsTheNextBatchOnlyWhenEveryStageIsIdle) {
  Told told;
  Driver driver = make(0, told);
  const auto first = begin(driver, at(0ms));
  ASSERT_EQ(first.size(), 2u);
  (void)driver.on_message(kBroker, answer(first[0].request), at(100ms));
  const machine::Actions done = driver.on_message(kBroker, answer(first[1].request), at(150ms));
  EXPECT_EQ(of<wire::StatusRequest>(done).size(), 1u);
  EXPECT_TRUE(of<wire::Submit>(driver.on_message(kBroker, status(2, 1), at(151ms))).empty());
  EXPECT_EQ(of<wire::Submit>(driver.on_message(kBroker, status(2, 0), at(700ms))).size(), 2u);
  EXPECT_THAT(told.batches, ElementsAre(wire::Duration(150ms)));
}

TEST(Driver, RecordsEachImageOnceWithItsOwnLatency) {
  Told told;
  Driver driver = make(0, told);
  const auto first = begin(driver, at(0ms));
  (void)driver.on_message(kBroker, answer(first[1].request), at(100ms));
  (void)driver.on_message(kBroker, answer(first[0].request), at(150ms));
  ASSERT_EQ(told.answers.size(), 2u);
  EXPECT_EQ(told.answers[0].image, 1u);
  EXPECT_EQ(told.answers[0].latency, wire::Duration(100ms));
  EXPECT_EQ(told.answers[1].image, 0u);
}

TEST(Driver, WarmUpBatchesDoNotCount) {
  Told told;
  Driver driver = make(1, told);
  const auto warm = begin(driver, at(0ms));
  for (const auto& submit : warm) (void)driver.on_message(kBroker, answer(submit.request), at(9ms));
  EXPECT_TRUE(told.answers.empty());
  EXPECT_TRUE(told.batches.empty());
  (void)driver.on_message(kBroker, status(2, 0), at(10ms));
  EXPECT_EQ(of<wire::Submit>(driver.on_message(kSink, status(2, 0), at(11ms))).size(), 2u);
}

TEST(Driver, ABusyFleetGetsTheNextBatchWithTheLastAnswer) {
  Told told;
  Driver driver = make(0, told, {.kind = Arrivals::Kind::busy_batches});
  const auto first = begin(driver, at(0ms));
  (void)driver.on_message(kBroker, answer(first[0].request), at(100ms));
  const auto next = driver.on_message(kBroker, answer(first[1].request), at(150ms));
  EXPECT_EQ(of<wire::Submit>(next).size(), 2u);
}

TEST(Driver, AnOpenLoopCountsFromTheIntendedSend) {
  Told told;
  const auto gaps = std::make_shared<std::vector<double>>(1, 0.010);
  Driver driver = make(0, told, {.kind = Arrivals::Kind::recorded, .gaps_s = gaps});
  const auto first = begin(driver, at(0ms));
  ASSERT_EQ(first.size(), 1u);
  // The driver is held up until 25 ms: two images are due by then, at 10 and at 20 ms.
  const auto late = of<wire::Submit>(driver.on_timeout(at(25ms)));
  ASSERT_EQ(late.size(), 2u);
  (void)driver.on_message(kBroker, answer(late[0].request), at(60ms));
  (void)driver.on_message(kBroker, answer(late[1].request), at(60ms));
  ASSERT_EQ(told.answers.size(), 2u);
  EXPECT_EQ(told.answers[0].latency, wire::Duration(50ms));
  EXPECT_EQ(told.answers[1].latency, wire::Duration(40ms));
}

TEST(Driver, TellsOfMarksWhenTheirTimeHasCome) {
  Told told;
  Driver driver = make(0, told, {}, {5ms, 5ms, 40ms});
  const auto first = begin(driver, at(1s));
  EXPECT_EQ(driver.next_timeout(), at(1005ms));
  (void)driver.on_timeout(at(1004ms));
  EXPECT_TRUE(told.marks.empty());
  (void)driver.on_timeout(at(1006ms));
  EXPECT_THAT(told.marks, ElementsAre(0, 1));
  (void)driver.on_message(kBroker, answer(first[0].request), at(1041ms));
  EXPECT_THAT(told.marks, ElementsAre(0, 1, 2));
}

TEST(Driver, GivesUpOnAFleetThatIsNeverReady) {
  Told told;
  Driver driver = make(0, told);
  (void)driver.on_timeout(at(0ms));
  EXPECT_TRUE(driver.on_timeout(at(10s)).finished);
  EXPECT_FALSE(driver.completed());
}

TEST(Driver, GivesUpOnAFleetThatStandsStill) {
  Told told;
  Driver driver = make(0, told);
  const auto first = begin(driver, at(1s));
  for (const auto& submit : first) (void)driver.on_message(kBroker, answer(submit.request), at(2s));
  (void)driver.on_message(kBroker, status(2, 1), at(11s));
  EXPECT_FALSE(driver.on_timeout(at(11s)).finished);
  EXPECT_TRUE(driver.on_timeout(at(12s)).finished);
  EXPECT_FALSE(driver.completed());
}

TEST(Driver, FinishesWithBothCountersAfterTheLastBatch) {
  Told told;
  Driver driver = make(0, told);
  auto submits = begin(driver, at(0ms));
  machine::Actions last;
  for (const wire::Duration t : {wire::Duration(10ms), wire::Duration(20ms)}) {
    for (const auto& s : submits) (void)driver.on_message(kBroker, answer(s.request), at(t));
    submits = of<wire::Submit>(driver.on_message(kBroker, status(2, 0), at(t + 1ms)));
  }
  EXPECT_FALSE(driver.completed());
  EXPECT_TRUE(driver.on_message(kSink, status(2, 0), at(30ms)).finished);
  EXPECT_TRUE(driver.completed());
}

}  // namespace
