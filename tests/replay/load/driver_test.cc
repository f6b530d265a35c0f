#include "replay/live/batch_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace {

using namespace std::chrono_literals;
using replay::live::BatchDriver;
using testing::ElementsAre;

wire::Instant at(wire::Duration d) { return {d}; }

constexpr wire::Peer kBroker{BatchDriver::kBroker, 0};
constexpr wire::Peer kSink{BatchDriver::kSink, 0};

BatchDriver make(std::size_t warm_up) {
  BatchDriver::Options options;
  options.slots = 2;
  options.warm_up = warm_up;
  options.classifiers = 2;
  options.assemblers = 1;
  options.phase_max = 10s;
  options.probe_every = 2ms;
  producer::Policy policy;
  policy.producer = {1, 2};
  std::vector<wire::Payload> images;
  for (std::uint8_t i = 0; i < 4; ++i) images.emplace_back(wire::Payload::Bytes{i});
  return BatchDriver(options, policy, std::move(images), [](std::size_t) {});
}

template <class T>
std::vector<T> of(const wire::Actions& actions) {
  std::vector<T> found;
  for (const wire::Outgoing& out : actions.messages) {
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
std::vector<wire::Submit> begin(BatchDriver& driver, wire::Instant now) {
  (void)driver.on_timeout(now);
  (void)driver.on_message(kBroker, wire::Welcome{{7}, 500ms, 256, 1000, 5s}, now);
  (void)driver.on_message(kBroker, status(2, 0), now);
  return of<wire::Submit>(driver.on_message(kSink, status(2, 0), now));
}

TEST(BatchDriver, WaitsUntilTheFleetIsReady) {
  BatchDriver driver = make(0);
  (void)driver.on_timeout(at(0ms));
  (void)driver.on_message(kBroker, wire::Welcome{{7}, 500ms, 256, 1000, 5s}, at(1ms));
  EXPECT_TRUE(of<wire::Submit>(driver.on_message(kBroker, status(1, 0), at(2ms))).empty());
  (void)driver.on_message(kBroker, status(2, 0), at(4ms));
  EXPECT_EQ(of<wire::Submit>(driver.on_message(kSink, status(2, 0), at(5ms))).size(), 2u);
}

TEST(BatchDriver, SendsTheNextBatchOnlyWhenEveryStageIsIdle) {
  BatchDriver driver = make(0);
  const auto first = begin(driver, at(0ms));
  ASSERT_EQ(first.size(), 2u);
  (void)driver.on_message(kBroker, answer(first[0].request), at(100ms));
  const wire::Actions done = driver.on_message(kBroker, answer(first[1].request), at(150ms));
  EXPECT_EQ(of<wire::Probe>(done).size(), 1u);
  EXPECT_TRUE(of<wire::Submit>(driver.on_message(kBroker, status(2, 1), at(151ms))).empty());
  EXPECT_EQ(of<wire::Submit>(driver.on_message(kBroker, status(2, 0), at(700ms))).size(), 2u);
  EXPECT_THAT(driver.batch_latencies(), ElementsAre(wire::Duration(150ms)));
}

TEST(BatchDriver, RecordsEachImageOnceWithItsOwnLatency) {
  BatchDriver driver = make(0);
  const auto first = begin(driver, at(0ms));
  (void)driver.on_message(kBroker, answer(first[1].request), at(100ms));
  (void)driver.on_message(kBroker, answer(first[0].request), at(150ms));
  ASSERT_EQ(driver.records().size(), 2u);
  EXPECT_EQ(driver.records()[0].image, 1u);
  EXPECT_EQ(driver.records()[0].latency, wire::Duration(100ms));
  EXPECT_EQ(driver.records()[1].image, 0u);
}

TEST(BatchDriver, WarmUpBatchesDoNotCount) {
  BatchDriver driver = make(1);
  const auto warm = begin(driver, at(0ms));
  for (const auto& submit : warm) (void)driver.on_message(kBroker, answer(submit.request), at(9ms));
  EXPECT_TRUE(driver.records().empty());
  EXPECT_TRUE(driver.batch_latencies().empty());
  (void)driver.on_message(kBroker, status(2, 0), at(10ms));
  EXPECT_EQ(of<wire::Submit>(driver.on_message(kSink, status(2, 0), at(11ms))).size(), 2u);
}

TEST(BatchDriver, GivesUpOnAFleetThatIsNeverReady) {
  BatchDriver driver = make(0);
  (void)driver.on_timeout(at(0ms));
  EXPECT_TRUE(driver.on_timeout(at(10s)).finished);
  EXPECT_FALSE(driver.completed());
}

TEST(BatchDriver, GivesUpOnAFleetThatStandsStill) {
  BatchDriver driver = make(0);
  const auto first = begin(driver, at(1s));
  for (const auto& submit : first) (void)driver.on_message(kBroker, answer(submit.request), at(2s));
  (void)driver.on_message(kBroker, status(2, 1), at(11s));
  EXPECT_FALSE(driver.on_timeout(at(11s)).finished);
  EXPECT_TRUE(driver.on_timeout(at(12s)).finished);
  EXPECT_FALSE(driver.completed());
}

TEST(BatchDriver, FinishesWithBothCountersAfterTheLastBatch) {
  BatchDriver driver = make(0);
  auto submits = begin(driver, at(0ms));
  wire::Actions last;
  for (const wire::Duration t : {wire::Duration(10ms), wire::Duration(20ms)}) {
    for (const auto& s : submits) (void)driver.on_message(kBroker, answer(s.request), at(t));
    submits = of<wire::Submit>(driver.on_message(kBroker, status(2, 0), at(t + 1ms)));
  }
  EXPECT_FALSE(driver.completed());
  EXPECT_TRUE(driver.on_message(kSink, status(2, 0), at(30ms)).finished);
  EXPECT_TRUE(driver.completed());
}

}  // namespace
