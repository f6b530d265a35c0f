#include "stages/sink/sink.h"

#include <gmock/gmock.h>

#include "tests/figure.h"
#include "tests/names.h"
#include "tests/stages/heard.h"
#include "tests/values.h"

namespace stages::sink {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Reason;
using wire::Source;

constexpr machine::Peer kFromBroker{kBroker, 0}, kStage{kStages, 3};
constexpr wire::WorkerId kId{4, 1};
constexpr wire::BatchId kBatch{kEpoch, {1}};

Sink::Policy policy() {
  Sink::Policy policy;
  policy.joiner = {.open_batch_max = 4, .orphan_max = 4, .gate = 0, .classes = 100};
  policy.patience = {.learned = true,
                     .initial = 250ms,
                     .min = 20ms,
                     .max = 900ms,
                     .window = 8,
                     .sample_min = 4,
                     .worker_max = 4,
                     .budget_share = 0.11};
  policy.membership = {100ms, 1s};
  return policy;
}

class SinkTest : public testing::Test {
 protected:
  SinkTest() { join(kEpoch); }
  void join(wire::Epoch epoch) {
    (void)sink.on_timeout(at(0ms));
    (void)tell(wire::Welcome{epoch, 300ms, 0, 0, 1s});
    (void)sink.on_timeout(at(0ms));
  }
  machine::Actions tell(wire::Message message, wire::Duration t = 0ms) {
    return sink.on_message(kFromBroker, std::move(message), at(t));
  }
  void open() {
    (void)tell(wire::BatchOpened{kBatch, 2, {}, true});
    (void)tell(wire::BatchSealed{kBatch, {0ms, 0ms}});
  }
  machine::Actions single(wire::Slot slot, wire::Duration age = 100ms, bool hedge = false) {
    return sink.on_message(
        kStage,
        wire::Answer{
            kBatch, slot, {1, 1}, hedge, age, {}, {{{{5}, 0.9f}}, Reason::none}, "s1", age},
        at(age));
  }
  machine::Actions collage(wire::Duration t) {
    return sink.on_message(
        kStage, wire::CollageAnswer{kBatch, {1, 2}, t, {}, {{{{7}, 0.8f}}, {{{8}, 0.8f}}}, "c1"},
        at(t));
  }
  std::uint64_t counter(std::string_view name) {
    for (const wire::Counter& one : sink.status().counters) {
      if (one.name == name) return one.value;
    }
    ADD_FAILURE() << "no counter is called " << name;
    return 0;
  }

  Sink sink{kId, policy()};
};

TEST_F(SinkTest, ABatchThatIsOpenedAgainIsToldWhatWasChosenForIt) {
  open();
  ASSERT_THAT(heard<wire::SlotSettled>(single(1), kBroker), SizeIs(1));
  const auto again = tell(wire::BatchOpened{kBatch, 2, {}, true}, 150ms);
  const auto chosen = heard<wire::SlotSettled>(again, kBroker);
  ASSERT_THAT(chosen, SizeIs(1));
  EXPECT_EQ(chosen[0].slot, 1);
  EXPECT_EQ(chosen[0].verdict.predictions.at(0).label.value, 5u);
  EXPECT_EQ(counter("settled_single"), 1u);
  EXPECT_EQ(counter("chosen_again"), 1u);
}

TEST_F(SinkTest, SaysHelloAsASink) {
  Sink fresh(kId, policy());
  EXPECT_EQ(fresh.next_timeout(), at(0ms));
  const auto hello = heard<wire::WorkerHello>(fresh.on_timeout(at(0ms)), kBroker);
  ASSERT_THAT(hello, SizeIs(1));
  EXPECT_EQ(hello[0].role, wire::Role::sink);
  EXPECT_EQ(hello[0].worker, kId);
}

TEST_F(SinkTest, ASingleAnswerIsPassedOnTheMomentItComes) {
  open();
  const auto settled = heard<wire::SlotSettled>(single(0), kBroker);
  ASSERT_THAT(settled, SizeIs(1));
  EXPECT_EQ(settled[0].slot, 0);
  EXPECT_EQ(settled[0].source, Source::single);
  EXPECT_EQ(settled[0].version, "s1");
  EXPECT_EQ(counter("answers"), 1u);
  EXPECT_EQ(counter("settled_single"), 1u);
}

TEST_F(SinkTest, ACollageWaitsForPatienceByATimer) {
  open();
  EXPECT_THAT(heard<wire::SlotSettled>(collage(100ms), kBroker), IsEmpty());
  EXPECT_EQ(sink.next_timeout(), at(250ms));
  const auto settled = heard<wire::SlotSettled>(sink.on_timeout(at(250ms)), kBroker);
  ASSERT_THAT(settled, SizeIs(2));
  EXPECT_EQ(settled[1].source, Source::collage);
  EXPECT_EQ(settled[1].version, "c1");
  EXPECT_EQ(counter("collage_inferences"), 1u);
}

TEST_F(SinkTest, ALateSingleAnswerIsACorrectionIfTheBrokerHasUseForIt) {
  (void)tell(wire::Welcome{kEpoch, 300ms, 0, 0, 1s, 2s});
  open();
  (void)collage(300ms);
  const auto disagreements = heard<wire::Disagreement>(single(1, 400ms, true), kBroker);
  ASSERT_THAT(disagreements, SizeIs(1));
  EXPECT_EQ(disagreements[0].batch, kBatch);
  EXPECT_EQ(disagreements[0].slot, 1);
  EXPECT_EQ(disagreements[0].source, Source::hedge);
  EXPECT_EQ(disagreements[0].version, "s1");
  EXPECT_EQ(counter("corrections"), 1u);
  (void)tell(wire::Welcome{kEpoch, 300ms, 0, 0, 1s, 0s});
  EXPECT_THAT(heard<wire::Disagreement>(single(0, 400ms), kBroker), IsEmpty());
}

TEST_F(SinkTest, CollageFirstHasNoPatience) {
  Sink::Policy eager = policy();
  eager.collage_first = true;
  Sink first(kId, eager);
  (void)first.on_message(kFromBroker, wire::Welcome{kEpoch, 300ms, 0, 0, 1s}, at(0ms));
  (void)first.on_message(kFromBroker, wire::BatchOpened{kBatch, 2, {}, true}, at(0ms));
  (void)first.on_message(kFromBroker, wire::BatchSealed{kBatch, {0ms, 0ms}}, at(0ms));
  const auto actions = first.on_message(
      kStage, wire::CollageAnswer{kBatch, {1, 2}, {}, {}, {{{{7}, 1.f}}, {{{8}, 1.f}}}, ""},
      at(1ms));
  EXPECT_THAT(heard<wire::SlotSettled>(actions, kBroker), SizeIs(2));
  const auto service = heard<wire::ServiceTimes>(first.on_timeout(at(1s)), kBroker);
  ASSERT_THAT(service, SizeIs(1));
  EXPECT_EQ(service[0].patience, 0ms);
}

TEST_F(SinkTest, OnceASecondItLearnsAndTellsTheBroker) {
  open();
  for (int i = 0; i < 4; ++i) (void)single(0, 100ms);
  EXPECT_THAT(heard<wire::ServiceTimes>(sink.on_timeout(at(999ms)), kBroker), IsEmpty());
  const auto service = heard<wire::ServiceTimes>(sink.on_timeout(at(1s)), kBroker);
  ASSERT_THAT(service, SizeIs(1));
  EXPECT_EQ(service[0].p95, 100ms);
  EXPECT_EQ(service[0].patience, 100ms);
  EXPECT_EQ(counter("patience_ns"), 100'000'000u);
}

TEST_F(SinkTest, HedgesAndRejectionsTeachNothing) {
  open();
  for (int i = 0; i < 8; ++i) (void)single(0, 100ms, true);
  for (int i = 0; i < 8; ++i) {
    wire::Answer rejected{kBatch, 1, {1, 1}, false, 5ms, {}, {{}, Reason::empty_image}, {}};
    (void)sink.on_message(kStage, rejected, at(0ms));
  }
  EXPECT_EQ(heard<wire::ServiceTimes>(sink.on_timeout(at(1s)), kBroker)[0].p95, 0ms);
}

TEST_F(SinkTest, ABrokerThatHasRestartedIsAnsweredNothingOfItsFormerLife) {
  open();
  join(kOtherEpoch);
  EXPECT_THAT(heard<wire::SlotSettled>(single(0), kBroker), IsEmpty());
  EXPECT_EQ(counter("stale_answers"), 1u);
  EXPECT_EQ(counter("batches_open"), 0u);
}

TEST_F(SinkTest, ABrokerThatForgotUsIsGreetedAtOnceAndRepeatsItself) {
  open();
  (void)tell(wire::Refuse{Reason::unknown_worker}, 10ms);
  EXPECT_EQ(sink.next_timeout(), at(10ms));
  EXPECT_THAT(heard<wire::WorkerHello>(sink.on_timeout(at(10ms)), kBroker), SizeIs(1));
  (void)tell(wire::Welcome{kEpoch, 300ms, 0, 0, 1s}, 10ms);
  open();
  EXPECT_EQ(counter("batches_open"), 1u);
  EXPECT_THAT(heard<wire::SlotSettled>(single(0), kBroker), SizeIs(1));
}

TEST_F(SinkTest, ASettledBatchIsOpenNoMore) {
  open();
  (void)tell(wire::BatchSettled{kBatch});
  EXPECT_EQ(counter("batches_open"), 0u);
  EXPECT_THAT(heard<wire::SlotSettled>(single(0), kBroker), IsEmpty());
  EXPECT_EQ(counter("late_single"), 1u);
}

TEST_F(SinkTest, ABatchWhoseCloseWasLostExpiresAfterTheLongestDeadline) {
  open();
  (void)sink.on_timeout(at(1s));
  EXPECT_EQ(counter("batches_expired"), 1u);
}

TEST_F(SinkTest, AStatusRequestIsAnsweredWithEveryCounter) {
  const auto status =
      heard<wire::Status>(sink.on_message(kStage, wire::StatusRequest{}, at(0ms)), kStages);
  ASSERT_THAT(status, SizeIs(1));
  EXPECT_EQ(status[0].counters, sink.status().counters);
}

TEST_F(SinkTest, ADrainingSinkIsFinishedAtOnce) {
  EXPECT_TRUE(sink.on_message(machine::kLocal, wire::Drain{}, at(0ms)).finished);
}

TEST_F(SinkTest, WhatCannotBeSentOrReadIsCounted) {
  (void)tell(wire::Undelivered{});
  (void)sink.on_message(kStage, wire::Undelivered{}, at(0ms));
  EXPECT_EQ(counter("undelivered"), 2u);
  const auto actions = sink.on_message(kStage, wire::Undecodable{Reason::wrong_protocol}, at(0ms));
  EXPECT_EQ(heard<wire::Refuse>(actions, kStages)[0].reason, Reason::wrong_protocol);
  (void)sink.on_message(kStage, wire::Ready{}, at(0ms));
  (void)tell(wire::Undecodable{});
  EXPECT_EQ(counter("bad_messages"), 3u);
}

TEST_F(SinkTest, ReportsWhatItSettledAndTheAgesOfAnswers) {
  open();
  (void)single(0, 100ms);
  (void)collage(120ms);
  (void)sink.on_timeout(at(250ms));
  (void)single(1, 300ms);
  const machine::Telemetry report = sink.telemetry();
  EXPECT_THAT(report.not_ready_reasons, IsEmpty());
  EXPECT_EQ(figure(report, "collage_settled_total", {{"source", "single"}}), 1);
  EXPECT_EQ(figure(report, "collage_settled_total", {{"source", "collage"}}), 1);
  EXPECT_EQ(figure(report, "collage_answer_age_seconds", {{"source", "single"}}), 2);
  EXPECT_EQ(figure(report, "collage_unused_answers_total", {{"reason", "late_single"}}), 1);
  EXPECT_EQ(figure(report, "collage_patience_seconds"), 0.25);
}

// Dashboards, alerts and observers look figures up by these names.
TEST_F(SinkTest, NoFigureChangesItsName) {
  EXPECT_EQ(names(sink.status()), R"(
settled_single
settled_hedge
settled_collage
settled_rejected
late_single
corrections
spare_collage
unsure_collage
bad_answers
stale_answers
orphans
orphans_dropped
batches_open
batches_refused
batches_expired
answers
chosen_again
collage_inferences
undelivered
bad_messages
wasted_single_ns
wasted_collage_ns
patience_ns
)");
  EXPECT_EQ(names(sink.telemetry()), R"(
counter collage_choices_sent_again_total
counter collage_disagreements_total
counter collage_dropped_total reason=bad_answer
counter collage_dropped_total reason=bad_message
counter collage_dropped_total reason=batch_expired
counter collage_dropped_total reason=batch_refused
counter collage_dropped_total reason=orphan
counter collage_dropped_total reason=stale_answer
counter collage_dropped_total reason=undelivered
counter collage_inferences_total
counter collage_settled_total source=collage
counter collage_settled_total source=hedge
counter collage_settled_total source=rejected
counter collage_settled_total source=single
counter collage_unused_answers_total reason=late_single
counter collage_unused_answers_total reason=spare_collage
counter collage_unused_answers_total reason=unsure_collage
counter collage_wasted_seconds_total reason=late_single
counter collage_wasted_seconds_total reason=spare_collage
gauge collage_batches_open
gauge collage_joined
gauge collage_orphans
gauge collage_patience_seconds
gauge collage_tasks_held
histogram collage_answer_age_seconds source=collage
histogram collage_answer_age_seconds source=hedge
histogram collage_answer_age_seconds source=single
)");
}

}  // namespace
}  // namespace stages::sink
