// What the broker reports: figures for metrics, and what is missing.
#include "tests/broker/broker_fixture.h"
#include "tests/figure.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BrokerReportTest : public BrokerTest {
 protected:
  double figure(std::string_view name, const machine::Metric::Labels& labels = {}) {
    return ::figure(broker->telemetry(), name, labels);
  }
  std::vector<std::string> lacks() { return broker->telemetry().not_ready_reasons; }
};

TEST_F(BrokerReportTest, ANewBrokerMissesItsSinkAndItsClassifiers) {
  EXPECT_THAT(lacks(), ElementsAre(HasSubstr("no sink"), "no classifier"));
  join_sink();
  join_worker(1);
  EXPECT_THAT(lacks(), IsEmpty());
}

TEST_F(BrokerReportTest, WithoutACollageStageItAnswersAllTheSame) {
  make(small_policy("collage"));
  join_sink();
  join_worker(1);
  EXPECT_THAT(lacks(), IsEmpty());
}

TEST_F(BrokerReportTest, ADrainingBrokerIsNotReady) {
  join_sink();
  join_worker(1);
  say(machine::kLocal, wire::Drain{});
  EXPECT_THAT(lacks(), ElementsAre("draining"));
}

TEST_F(BrokerReportTest, ResultsAndTheirTimesAreCountedBySource) {
  join_sink();
  join_worker(1);
  join_producer(1);
  submit(1, 10);
  submit(1, 11);
  advance(90ms);
  settle(batch(1), 0, wire::Source::collage);
  advance(2s);
  EXPECT_EQ(figure("collage_requests_admitted_total"), 2);
  EXPECT_EQ(figure("collage_requests_total", {{"result", "collage"}}), 1);
  EXPECT_EQ(figure("collage_requests_total", {{"result", "missing"}}), 1);
  EXPECT_EQ(figure("collage_request_duration_seconds", {{"source", "collage"}}), 1);
  EXPECT_EQ(figure("collage_request_duration_seconds", {{"source", "none"}}), 1);
  EXPECT_EQ(figure("collage_request_duration_seconds", {{"source", "single"}}), 0);
}

TEST_F(BrokerReportTest, ARejectedImageHasNoSource) {
  join_sink();
  join_worker(1);
  join_producer(1);
  submit(1, 10);
  settle(batch(1), 0, wire::Source::single, {{}, wire::Reason::not_an_image});
  EXPECT_EQ(the<wire::Result>(producer(1)).source, wire::Source::none);
  EXPECT_EQ(figure("collage_request_duration_seconds", {{"source", "none"}}), 1);
  EXPECT_EQ(figure("collage_request_duration_seconds", {{"source", "single"}}), 0);
}

TEST_F(BrokerReportTest, WorkersAreCountedOnceByHowTheyAre) {
  join_worker(1, 4);
  join_worker(2, 4);
  ready(worker(2), 0, {}, true);
  EXPECT_EQ(figure("collage_workers", {{"role", "classifier"}, {"state", "well"}}), 1);
  EXPECT_EQ(figure("collage_workers", {{"role", "classifier"}, {"state", "leaving"}}), 1);
  EXPECT_EQ(figure("collage_workers", {{"role", "sink"}, {"state", "well"}}), 0);
}

TEST_F(BrokerReportTest, CreditFallsAsTasksAreGiven) {
  join_sink();
  join_worker(1, 4);
  join_producer(1);
  EXPECT_EQ(figure("collage_credit", {{"role", "classifier"}}), 4);
  submit(1, 10);
  EXPECT_EQ(figure("collage_credit", {{"role", "classifier"}}), 3);
  EXPECT_EQ(figure("collage_tasks_in_flight", {{"role", "classifier"}}), 1);
  EXPECT_EQ(figure("collage_requests_open"), 1);
}

TEST_F(BrokerReportTest, BatchesWithoutCoverAreNotedNowAndThenNotEachTime) {
  make(small_policy("collage"));
  join_sink();
  join_worker(1, 16);
  join_producer(1);
  const auto noted_times = [this] {
    return std::ranges::count_if(notes, [](const machine::LogMessage& note) {
      return note.text.find("without cover") != std::string::npos;
    });
  };
  for (std::uint64_t request = 1; request <= 8; ++request) submit(1, request);
  EXPECT_EQ(figure("collage_batches_uncovered_total"), 2);
  EXPECT_EQ(noted_times(), 1);
  advance(10s);
  join_producer(1);
  submit(1, 9);
  EXPECT_EQ(noted_times(), 2);
}

TEST_F(BrokerReportTest, EveryDropHasItsReason) {
  join_sink();
  say(kSink, wire::SlotSettled{{{99}, {1}}, 0, wire::Source::single, {}, ""});
  settle(batch(7), 0);
  settle(batch(7), 0, wire::Source::none);
  say(producer(1), wire::Ready{});
  cancel(1, 5);
  say(kSink, wire::Disagreement{batch(7), 0, wire::Source::single, {{{1}, 0.9f}}, "s1"});
  EXPECT_EQ(figure("collage_dropped_total", {{"reason", "cancel_unknown"}}), 1);
  EXPECT_EQ(figure("collage_dropped_total", {{"reason", "correction_unwanted"}}), 1);
  EXPECT_EQ(figure("collage_dropped_total", {{"reason", "settled_stale"}}), 1);
  EXPECT_EQ(figure("collage_dropped_total", {{"reason", "settled_twice"}}), 1);
  EXPECT_EQ(figure("collage_dropped_total", {{"reason", "settled_bad"}}), 1);
  EXPECT_EQ(figure("collage_dropped_total", {{"reason", "bad_message"}}), 1);
}

}  // namespace
}  // namespace broker
