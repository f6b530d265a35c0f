// What the broker reports: figures for metrics, and what is missing.
#include "tests/broker/broker_fixture.h"
#include "tests/figure.h"
#include "tests/names.h"

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

// Dashboards, alerts and observers look figures up by these names.
TEST_F(BrokerReportTest, NoFigureChangesItsName) {
  EXPECT_EQ(names(broker->status()), R"(
requests_admitted
requests_open
requests_waiting
image_bytes_open
answered_single
answered_collage
answered_hedge
missing
rejected
refused
cancelled
superseded
answered_brownout
rescued
tasks_withdrawn
overloaded
overloads
cancels_unknown
batches
batches_open
batches_uncovered
batches_covered
images_covered
batches_moved
batch_slots
tasks_dispatched
tasks_outstanding
collages_outstanding
tasks_redispatched
hedges
hedges_no_rate
hedges_no_worker
probes
settled_twice
settled_stale
settled_bad
results_undelivered
correctable
corrections
corrections_unwanted
corrections_forgotten
corrections_undelivered
producers
classifiers
classifiers_suspect
classifiers_on_probation
assemblers
assemblers_on_probation
sinks
workers_lost
workers_refused
producers_refused
bad_messages
patience_ns
service_p95_ns
service_p99_ns
)");
  EXPECT_EQ(names(broker->telemetry()), R"(
counter collage_batches_covered_total
counter collage_batches_moved_total
counter collage_batches_total
counter collage_batches_uncovered_total
counter collage_brownout_answers_total
counter collage_corrections_total
counter collage_dropped_total reason=bad_message
counter collage_dropped_total reason=cancel_unknown
counter collage_dropped_total reason=correction_forgotten
counter collage_dropped_total reason=correction_undelivered
counter collage_dropped_total reason=correction_unwanted
counter collage_dropped_total reason=result_undelivered
counter collage_dropped_total reason=settled_bad
counter collage_dropped_total reason=settled_stale
counter collage_dropped_total reason=settled_twice
counter collage_hedges_total
counter collage_hedges_withheld_total reason=no_worker
counter collage_hedges_withheld_total reason=rate
counter collage_images_covered_total
counter collage_overloads_total
counter collage_probes_total
counter collage_producers_refused_total
counter collage_requests_admitted_total
counter collage_requests_total result=cancelled
counter collage_requests_total result=collage
counter collage_requests_total result=hedge
counter collage_requests_total result=missing
counter collage_requests_total result=refused
counter collage_requests_total result=rejected
counter collage_requests_total result=single
counter collage_requests_total result=superseded
counter collage_rescued_total
counter collage_tasks_dispatched_total
counter collage_tasks_redispatched_total
counter collage_tasks_withdrawn_total
counter collage_workers_lost_total
counter collage_workers_refused_total
gauge collage_batch_slots
gauge collage_batches_open
gauge collage_correctable
gauge collage_credit role=assembler
gauge collage_credit role=classifier
gauge collage_image_bytes_open
gauge collage_overloaded
gauge collage_patience_seconds
gauge collage_producers
gauge collage_requests_open
gauge collage_requests_waiting
gauge collage_service_p95_seconds
gauge collage_service_p99_seconds
gauge collage_tasks_in_flight role=assembler
gauge collage_tasks_in_flight role=classifier
gauge collage_workers role=assembler state=leaving
gauge collage_workers role=assembler state=probation
gauge collage_workers role=assembler state=suspect
gauge collage_workers role=assembler state=well
gauge collage_workers role=classifier state=leaving
gauge collage_workers role=classifier state=probation
gauge collage_workers role=classifier state=suspect
gauge collage_workers role=classifier state=well
gauge collage_workers role=sink state=well
histogram collage_request_duration_seconds source=collage
histogram collage_request_duration_seconds source=hedge
histogram collage_request_duration_seconds source=none
histogram collage_request_duration_seconds source=single
)");
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
