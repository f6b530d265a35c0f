#include "stages/classifier/classifier.h"

#include <gmock/gmock.h>

#include "tests/figure.h"
#include "tests/names.h"
#include "tests/stages/heard.h"
#include "tests/values.h"

namespace stages::classifier {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Sequence;

constexpr machine::Peer kFromBroker{kBroker, 0}, kFromSink{kSink, 0};
constexpr wire::WorkerId kId{1, 2};

class ClassifierTest : public testing::Test {
 protected:
  ClassifierTest() {
    (void)classifier.on_timeout(at(0ms));
    (void)welcome(kEpoch);
  }
  machine::Actions welcome(wire::Epoch epoch) {
    auto actions = classifier.on_message(kFromBroker, wire::Welcome{epoch, 1s, 0, 0, 1s}, at(0ms));
    actions.append(classifier.on_timeout(at(0ms)));
    return actions;
  }
  machine::Actions assign(std::uint64_t sequence, wire::Duration t = 0ms,
                          wire::Epoch epoch = kEpoch) {
    wire::Assign message;
    message.sequence = {sequence};
    message.batch = {epoch, {1}};
    message.slot = static_cast<wire::Slot>(sequence);
    message.age = 10ms;
    message.remaining = 1s;
    message.image = image;
    return classifier.on_message(kFromBroker, message, at(t));
  }
  machine::Actions withdraw(std::uint64_t sequence) {
    return classifier.on_message(kFromBroker, wire::Withdraw{{sequence}}, at(0ms));
  }
  machine::Actions done(std::uint64_t work, wire::Duration t,
                        wire::Verdict verdict = {{{{3}, 0.5f}}, wire::Reason::none}) {
    return classifier.on_done({work}, {std::move(verdict), 4ms, "v1"}, at(t));
  }

  wire::Payload image{wire::Payload::Bytes(10)};
  Classifier classifier{{kId, wire::Role::classifier, {}, 2},
                        {.backoff_min = 100ms, .backoff_max = 1s},
                        std::nullopt};
};

TEST_F(ClassifierTest, SaysHelloToTheBrokerFirst) {
  Classifier fresh({kId, wire::Role::classifier, {}, 2}, {100ms, 1s}, std::nullopt);
  EXPECT_EQ(fresh.next_timeout(), at(0ms));
  const auto hello = heard<wire::WorkerHello>(fresh.on_timeout(at(0ms)), kBroker);
  ASSERT_THAT(hello, SizeIs(1));
  EXPECT_EQ(hello[0].worker, kId);
  EXPECT_EQ(hello[0].capacity, 2u);
}

TEST_F(ClassifierTest, ATaskThatFailsIsNotAnswered) {
  (void)assign(1);
  const auto actions = done(1, 5ms, {});
  EXPECT_THAT(heard<wire::Answer>(actions, kSink), IsEmpty());
  EXPECT_THAT(heard<wire::Ready>(actions, kBroker), SizeIs(1));
  EXPECT_EQ(classifier.counters().failed, 1u);
  EXPECT_EQ(classifier.counters().answered, 0u);
}

TEST_F(ClassifierTest, ATaskBecomesWorkAtOnceOnTheSameBytes) {
  const auto actions = assign(1);
  ASSERT_TRUE(actions.work);
  EXPECT_EQ(std::get<machine::Classify>(actions.work->job).image.bytes().data(),
            image.bytes().data());
}

TEST_F(ClassifierTest, TheAnswerGoesToTheSinkAndTheCreditToTheBroker) {
  const auto work = assign(1).work;
  ASSERT_TRUE(work);
  const auto actions = done(work->id.value, 30ms);
  const auto answers = heard<wire::Answer>(actions, kSink);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].batch, (wire::BatchId{kEpoch, {1}}));
  EXPECT_EQ(answers[0].slot, 1);
  EXPECT_EQ(answers[0].worker, kId);
  EXPECT_FALSE(answers[0].hedge);
  EXPECT_EQ(answers[0].age, 40ms);  // What it was when it came, and the time since.
  EXPECT_EQ(answers[0].compute, 4ms);
  EXPECT_EQ(answers[0].version, "v1");
  EXPECT_EQ(answers[0].verdict.predictions[0].label.value, 3u);
  const auto ready = heard<wire::Ready>(actions, kBroker);
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].seen, Sequence{1});
  EXPECT_THAT(ready[0].held, IsEmpty());
  EXPECT_EQ(classifier.counters().answered, 1u);
}

TEST_F(ClassifierTest, TheNextTaskBeginsWhenTheOneBeforeIsDone) {
  assign(1);
  EXPECT_FALSE(assign(2, 5ms).work);
  const auto actions = done(1, 30ms);
  EXPECT_TRUE(actions.work);
  EXPECT_THAT(heard<wire::Ready>(actions, kBroker)[0].held, ElementsAre(Sequence{2}));
}

TEST_F(ClassifierTest, ImagesThatWaitAreClassifiedTogetherAndAnsweredOneByOne) {
  Classifier three({kId, wire::Role::classifier, {}, 3}, {100ms, 1s}, std::nullopt);
  three.set_together(2);
  (void)three.on_timeout(at(0ms));
  (void)three.on_message(kFromBroker, wire::Welcome{kEpoch, 1s, 0, 0, 1s}, at(0ms));
  const auto assign = [&](std::uint64_t sequence) {
    wire::Assign task;
    task.sequence = {sequence};
    task.batch = {kEpoch, {1}};
    task.slot = static_cast<wire::Slot>(sequence);
    task.remaining = 1s;
    task.image = wire::Payload(wire::Payload::Bytes(10 + sequence));
    return three.on_message(kFromBroker, task, at(0ms));
  };
  EXPECT_THAT(std::get<machine::Classify>(assign(1).work->job).more, IsEmpty());
  (void)assign(2);
  (void)assign(3);
  const auto next = three.on_done({1}, {wire::Verdict{}, 4ms, "v1"}, at(4ms));
  ASSERT_TRUE(next.work);
  const auto& job = std::get<machine::Classify>(next.work->job);
  EXPECT_THAT(job.image.bytes(), SizeIs(12));
  ASSERT_THAT(job.more, SizeIs(1));
  EXPECT_THAT(job.more[0].bytes(), SizeIs(13));

  machine::Outcome outcome{wire::Verdict{{{{7}, 0.5f}}, wire::Reason::none}, 2ms, "v1"};
  outcome.more.push_back({wire::Verdict{{}, wire::Reason::not_an_image}, 2ms, "v1"});
  const auto actions = three.on_done({2}, std::move(outcome), at(8ms));
  const auto answers = heard<wire::Answer>(actions, kSink);
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_EQ(answers[0].slot, 2);
  EXPECT_EQ(answers[0].verdict.predictions[0].label.value, 7u);
  EXPECT_EQ(answers[1].slot, 3);
  EXPECT_EQ(answers[1].verdict.reason, wire::Reason::not_an_image);
  const auto ready = heard<wire::Ready>(actions, kBroker);
  ASSERT_THAT(ready, SizeIs(1));  // One for both, for the broker gives each its share of the time.
  EXPECT_THAT(ready[0].held, IsEmpty());
}

TEST_F(ClassifierTest, AnImageThatCannotBeUsedIsAnsweredWithItsReason) {
  assign(1);
  const auto answers = heard<wire::Answer>(done(1, 1ms, {{}, wire::Reason::not_an_image}), kSink);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].verdict.reason, wire::Reason::not_an_image);
  EXPECT_EQ(classifier.counters().rejected, 1u);
  EXPECT_EQ(classifier.counters().answered, 0u);
}

TEST_F(ClassifierTest, ATaskThatComesTwiceIsDoneOnce) {
  assign(1);
  assign(1);
  EXPECT_EQ(classifier.counters().repeated, 1u);
  EXPECT_FALSE(done(1, 1ms).work);
}

TEST_F(ClassifierTest, ATaskOfABrokerThatWeHaveNotJoinedIsDropped) {
  EXPECT_FALSE(assign(1, 0ms, kOtherEpoch).work);
  EXPECT_EQ(classifier.counters().repeated, 1u);
}

TEST_F(ClassifierTest, TasksBeyondTwiceTheCreditAreDropped) {
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) assign(sequence);
  EXPECT_EQ(classifier.counters().over_credit, 1u);
}

TEST_F(ClassifierTest, AnEmulatedLatencyHoldsTheAnswerByATimer) {
  Classifier slow({kId, wire::Role::classifier, {}, 2}, {100ms, 1s},
                  Emulation{machine::QuantileTable({{0, 0.5}, {1, 0.5}}), machine::Rng(1)});
  (void)slow.on_timeout(at(0ms));
  (void)slow.on_message(kFromBroker, wire::Welcome{kEpoch, 1s, 0, 0, 1s}, at(0ms));
  (void)slow.on_timeout(at(0ms));
  wire::Assign message;
  message.sequence = {1};
  message.batch = {kEpoch, {1}};
  message.remaining = 1s;
  ASSERT_TRUE(slow.on_message(kFromBroker, message, at(0ms)).work);
  const auto early = slow.on_done({1}, {wire::Verdict{{{{3}, 0.5f}}, {}}, 4ms, "v1"}, at(30ms));
  EXPECT_THAT(heard<wire::Answer>(early, kSink), IsEmpty());
  EXPECT_EQ(slow.next_timeout(), at(500ms));
  EXPECT_THAT(heard<wire::Answer>(slow.on_timeout(at(500ms)), kSink), SizeIs(1));
}

TEST_F(ClassifierTest, ABrokerThatHasRestartedIsJoinedAndLearnsWhatIsStillHeld) {
  assign(1);
  const auto ready = heard<wire::Ready>(welcome(kOtherEpoch), kBroker);
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].seen, Sequence{0});
  EXPECT_THAT(ready[0].held, ElementsAre(Sequence{0}));
  assign(1, 0ms, kOtherEpoch);
  const auto after = heard<wire::Ready>(done(1, 1ms), kBroker);
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_THAT(after[0].held, ElementsAre(Sequence{1}));
}

TEST_F(ClassifierTest, ADrainingStageTakesLeaveAndFinishesWithItsLastTask) {
  assign(1);
  const auto leaving = classifier.on_message(machine::kLocal, wire::Drain{}, at(1ms));
  EXPECT_TRUE(heard<wire::Ready>(leaving, kBroker)[0].leaving);
  EXPECT_FALSE(leaving.finished);
  const auto last = done(1, 2ms);
  EXPECT_TRUE(last.finished);
  EXPECT_THAT(heard<wire::Answer>(last, kSink), SizeIs(1));
}

TEST_F(ClassifierTest, AnIdleStageIsDrainedAtOnce) {
  EXPECT_TRUE(classifier.on_message(machine::kLocal, wire::Drain{}, at(1ms)).finished);
}

TEST_F(ClassifierTest, ARefusalIsNotedAndAnsweredByAHelloLater) {
  const auto actions =
      classifier.on_message(kFromBroker, wire::Refuse{wire::Reason::wrong_model}, at(1ms));
  ASSERT_THAT(actions.logs, SizeIs(1));
  EXPECT_EQ(actions.logs[0].text, "the broker refuses us: wrong_model");
  EXPECT_EQ(classifier.next_timeout(), at(1001ms));
}

TEST_F(ClassifierTest, WhatCannotBeSentOrReadIsCounted) {
  (void)classifier.on_message(kFromSink, wire::Undelivered{}, at(1ms));
  (void)classifier.on_message(kFromBroker, wire::Undelivered{}, at(1ms));
  EXPECT_EQ(classifier.counters().undelivered, 2u);
  (void)classifier.on_message(kFromBroker, wire::Undecodable{}, at(1ms));
  (void)classifier.on_message(kFromSink, wire::Assign{}, at(1ms));
  EXPECT_EQ(classifier.counters().bad_messages, 2u);
}

TEST_F(ClassifierTest, IsNotReadyUntilItIsWelcomed) {
  Classifier fresh({kId, wire::Role::classifier, {}, 2}, {100ms, 1s}, std::nullopt);
  EXPECT_THAT(fresh.telemetry().not_ready_reasons, SizeIs(1));
  EXPECT_THAT(classifier.telemetry().not_ready_reasons, IsEmpty());
}

TEST_F(ClassifierTest, ReportsWhatItHasDoneAndHowLongItTook) {
  assign(1);
  (void)done(1, 30ms);
  assign(2, 40ms);
  (void)done(2, 41ms, {{}, wire::Reason::not_an_image});
  assign(2, 42ms);
  const machine::Telemetry report = classifier.telemetry();
  EXPECT_EQ(figure(report, "collage_tasks_total", {{"result", "answered"}}), 1);
  EXPECT_EQ(figure(report, "collage_tasks_total", {{"result", "rejected"}}), 1);
  EXPECT_EQ(figure(report, "collage_task_duration_seconds"), 2);
  EXPECT_EQ(figure(report, "collage_inference_duration_seconds"), 1);
  EXPECT_EQ(figure(report, "collage_dropped_total", {{"reason", "repeated"}}), 1);
  EXPECT_EQ(figure(report, "collage_tasks_held"), 0);
}

// Dashboards, alerts and observers look figures up by these names.
TEST_F(ClassifierTest, NoFigureChangesItsName) {
  EXPECT_EQ(names(classifier.telemetry()), R"(
counter collage_answers_sent_again_total
counter collage_dropped_total reason=bad_message
counter collage_dropped_total reason=expired
counter collage_dropped_total reason=over_credit
counter collage_dropped_total reason=repeated
counter collage_dropped_total reason=undelivered
counter collage_tasks_total result=answered
counter collage_tasks_total result=failed
counter collage_tasks_total result=rejected
counter collage_tasks_total result=withdrawn
gauge collage_joined
gauge collage_model_info version=
gauge collage_tasks_held
histogram collage_inference_duration_seconds
histogram collage_task_duration_seconds
)");
}

TEST_F(ClassifierTest, AWithdrawnTaskIsNotBegunAndItsCreditGoesBack) {
  assign(1);
  assign(2);
  const auto actions = withdraw(2);
  EXPECT_EQ(classifier.counters().withdrawn, 1u);
  const auto ready = heard<wire::Ready>(actions, kBroker);
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_THAT(ready[0].held, ElementsAre(Sequence{1}));
  EXPECT_FALSE(done(1, 1ms).work);
  EXPECT_EQ(figure(classifier.telemetry(), "collage_tasks_total", {{"result", "withdrawn"}}), 1);
}

TEST_F(ClassifierTest, WhatHasBegunOrIsNotHeldCannotBeWithdrawn) {
  assign(1);
  EXPECT_THAT(withdraw(1).messages, IsEmpty());
  EXPECT_THAT(withdraw(9).messages, IsEmpty());
  EXPECT_EQ(classifier.counters().withdrawn, 0u);
  EXPECT_EQ(classifier.counters().bad_messages, 0u);
  EXPECT_THAT(heard<wire::Answer>(done(1, 1ms), kSink), SizeIs(1));
}

TEST_F(ClassifierTest, TheAnswerSaysHowLongTheTaskWasHere) {
  assign(1, 5ms);
  assign(2, 10ms);
  EXPECT_EQ(heard<wire::Answer>(done(1, 30ms), kSink)[0].service, 25ms);
  EXPECT_EQ(heard<wire::Answer>(done(2, 60ms), kSink)[0].service, 50ms);
}

}  // namespace
}  // namespace stages::classifier
