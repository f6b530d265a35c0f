#include "replay/sim/gauge_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace replay::sim {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr wire::Instant kNow;
constexpr NodeId kGaugedSink = 1;

class GaugeCheckerTest : public testing::Test {
 protected:
  GaugeCheckerTest() : log_(0), violations_(log_) {
    broker::Policy& broker = options_.fleet.broker;
    broker.open_request_max = 10;
    broker.producer_max = 2;
    broker.hedge_rate_max = 0.5;
    broker.correction_max = 0;
    options_.fleet.sink.joiner.open_batch_max = 4;
  }
  void broker_has(std::vector<wire::Counter> counters) {
    checker_.on_broker_status({std::move(counters)}, kNow);
  }
  const std::vector<std::string>& found() const { return violations_.texts(); }

  TrialOptions options_;
  EventLog log_;
  Violations violations_;
  GaugeChecker checker_{options_, violations_};
};

TEST_F(GaugeCheckerTest, FiguresWithinTheirBoundsAreRight) {
  for (int i = 0; i < 3; ++i) checker_.on_submit_arrived();
  checker_.on_task_sent();
  broker_has({{"requests_admitted", 3},
              {"requests_open", 2},
              {"answered_single", 1},
              {"tasks_dispatched", 1}});
  checker_.on_sink_status(kGaugedSink, {{{"batches_open", 4}}}, kNow);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(GaugeCheckerTest, FindsAGaugeAboveItsBound) {
  broker_has({{"producers", 3}});
  checker_.on_sink_status(kGaugedSink, {{{"batches_open", 5}}}, kNow);
  EXPECT_THAT(found(),
              ElementsAre("producers is 3, more than 2", "batches_open is 5, more than 4"));
}

TEST_F(GaugeCheckerTest, FindsRequestsThatAreNotConserved) {
  for (int i = 0; i < 5; ++i) checker_.on_submit_arrived();
  broker_has({{"requests_admitted", 5}, {"requests_open", 2}, {"missing", 2}});
  EXPECT_THAT(found(), ElementsAre("the broker admitted 5 requests, settled 2 and has 2 open"));
}

TEST_F(GaugeCheckerTest, FindsMoreResultsThanSettledRequestsButForgivesRefusals) {
  wire::Result refused;
  refused.status = wire::ResultStatus::refused;
  checker_.on_result_sent(refused);
  broker_has({});
  EXPECT_THAT(found(), IsEmpty());
  checker_.on_result_sent({});
  broker_has({});
  EXPECT_THAT(found(), ElementsAre("the broker sends more results than it settles"));
}

TEST_F(GaugeCheckerTest, FindsWorkThatNobodyOrdered) {
  for (int i = 0; i < 3; ++i) checker_.on_submit_arrived();
  for (int i = 0; i < 6; ++i) checker_.on_task_sent();
  broker_has(
      {{"requests_admitted", 3}, {"requests_open", 3}, {"hedges", 3}, {"tasks_dispatched", 6}});
  EXPECT_THAT(found(), ElementsAre("hedges is 3, more than 2"));
}

TEST_F(GaugeCheckerTest, ARestartedBrokerCountsFromZero) {
  checker_.on_task_sent();
  checker_.on_broker_life();
  broker_has({});
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(GaugeCheckerTest, AtTheEndNothingIsOpenAndNoWorkerIsLostSinceTheCalm) {
  checker_.on_submit_arrived();
  broker_has({{"workers_lost", 2}});
  checker_.on_calm();
  broker_has(
      {{"workers_lost", 3}, {"correctable", 1}, {"requests_open", 1}, {"requests_admitted", 1}});
  checker_.on_sink_status(kGaugedSink, {}, kNow);
  EXPECT_THAT(found(), Contains(HasSubstr("correctable is 1")));
  checker_.finish(kNow);
  EXPECT_THAT(found(), Contains("requests_open is 1, more than 0"));
  EXPECT_THAT(found(), Contains("workers_lost is 3, more than 2"));
}

TEST_F(GaugeCheckerTest, WithoutAStatusAtTheEndNothingIsProved) {
  broker_has({});
  checker_.on_sink_life(kGaugedSink);
  checker_.finish(kNow);
  EXPECT_THAT(found(), ElementsAre("broker or sink reports no status at the end"));
}

}  // namespace
}  // namespace replay::sim
