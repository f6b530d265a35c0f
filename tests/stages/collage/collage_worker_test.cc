#include "stages/collage/collage_worker.h"

#include <gmock/gmock.h>

#include "tests/figure.h"
#include "tests/names.h"
#include "tests/stages/heard.h"
#include "tests/values.h"

namespace stages::collage {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Sequence;

constexpr std::uint32_t kAssembler = CollageWorker::kAssembler;
constexpr machine::Peer kFromAssembler{kAssembler, 0};
constexpr wire::Epoch kCoordinatorEpoch{5}, kLaterEpoch{6};
constexpr wire::WorkerId kId{1, 9};

class CollageWorkerTest : public testing::Test {
 protected:
  CollageWorkerTest() {
    (void)worker.on_timeout(at(0ms));
    (void)tell(wire::Welcome{kCoordinatorEpoch, 1s, 0, 0, {}});
    (void)worker.on_timeout(at(0ms));
  }
  machine::Actions tell(wire::Message message, wire::Duration t = 0ms) {
    return worker.on_message(kFromAssembler, std::move(message), at(t));
  }
  machine::Actions task(std::uint64_t sequence, wire::Epoch epoch = kCoordinatorEpoch,
                        wire::Duration remaining = 1s) {
    wire::CollageTask message;
    message.epoch = epoch;
    message.sequence = {sequence};
    message.batch = batch(sequence);
    message.blank = {false, true};
    message.age = 10ms;
    message.remaining = remaining;
    message.picture = picture;
    return tell(message);
  }
  machine::Actions done(std::uint64_t work, wire::Duration t,
                        std::vector<wire::Predictions> cells = {{{{3}, 0.5f}}, {}}) {
    return worker.on_done({work}, {machine::Cells{std::move(cells)}, 4ms, "c1"}, at(t));
  }

  wire::Payload picture{wire::Payload::Bytes(10)};
  CollageWorker worker{
      {kId, wire::Role::collage, {}, 2}, {.backoff_min = 100ms, .backoff_max = 1s}, std::nullopt};
};

TEST_F(CollageWorkerTest, ATaskBecomesWorkAtOnceOnTheSameBytes) {
  const auto actions = task(1);
  ASSERT_TRUE(actions.work);
  const auto& job = std::get<machine::ClassifyCollage>(actions.work->job);
  EXPECT_EQ(job.picture.bytes().data(), picture.bytes().data());
  EXPECT_THAT(job.blank, ElementsAre(false, true));
}

TEST_F(CollageWorkerTest, TheAnswerGoesToTheSinkAndTheCreditToTheAssembler) {
  task(1);
  const auto actions = done(1, 30ms);
  const auto answers = heard<wire::CollageAnswer>(actions, CollageWorker::kSink);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].batch, batch(1));
  EXPECT_EQ(answers[0].worker, kId);
  EXPECT_EQ(answers[0].age, 40ms);
  EXPECT_EQ(answers[0].compute, 4ms);
  EXPECT_EQ(answers[0].version, "c1");
  EXPECT_THAT(answers[0].cells, SizeIs(2));
  const auto ready = heard<wire::Ready>(actions, kAssembler);
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].seen, Sequence{1});
  EXPECT_THAT(ready[0].held, IsEmpty());
  EXPECT_EQ(worker.counters().answered, 1u);
}

TEST_F(CollageWorkerTest, AFailedInferenceAnswersNothingAndGivesItsCreditBack) {
  task(1);
  const auto actions = done(1, 30ms, {});
  EXPECT_THAT(heard<wire::CollageAnswer>(actions, CollageWorker::kSink), IsEmpty());
  EXPECT_THAT(heard<wire::Ready>(actions, kAssembler), SizeIs(1));
  EXPECT_EQ(worker.counters().failed, 1u);
  EXPECT_EQ(worker.counters().answered, 0u);
}

TEST_F(CollageWorkerTest, ADroppedBatchIsNotBegun) {
  task(1);
  task(2);
  const auto actions = tell(wire::DropCollage{batch(2)});
  EXPECT_EQ(worker.counters().dropped, 1u);
  EXPECT_THAT(heard<wire::Ready>(actions, kAssembler)[0].held, ElementsAre(Sequence{1}));
  EXPECT_FALSE(done(1, 1ms).work);
}

TEST_F(CollageWorkerTest, ADropOfWhatIsUnderWayComesTooLate) {
  task(1);
  (void)tell(wire::DropCollage{batch(1)});
  EXPECT_EQ(worker.counters().dropped, 0u);
  EXPECT_THAT(heard<wire::CollageAnswer>(done(1, 1ms), CollageWorker::kSink), SizeIs(1));
}

TEST_F(CollageWorkerTest, ATaskWhoseTimeIsOverIsNotBegunAndItsCreditGoesBack) {
  task(1);
  task(2, kCoordinatorEpoch, 30ms);
  const auto actions = done(1, 30ms);
  EXPECT_FALSE(actions.work);
  EXPECT_THAT(heard<wire::Ready>(actions, kAssembler).back().held, IsEmpty());
  EXPECT_EQ(figure(worker.telemetry(), "collage_dropped_total", {{"reason", "expired"}}), 1);
}

TEST_F(CollageWorkerTest, ATaskWithTimeLeftIsBegun) {
  task(1);
  task(2, kCoordinatorEpoch, 30ms);
  EXPECT_TRUE(done(1, 29ms).work);
}

TEST_F(CollageWorkerTest, RepeatedAndForeignTasksAreDropped) {
  task(1);
  task(1);
  task(2, kLaterEpoch);
  EXPECT_EQ(worker.counters().repeated, 2u);
  EXPECT_FALSE(done(1, 1ms).work);
}

TEST_F(CollageWorkerTest, TasksBeyondTwiceTheCreditAreDropped) {
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) task(sequence);
  EXPECT_EQ(worker.counters().over_credit, 1u);
}

TEST_F(CollageWorkerTest, ADrainingStageFinishesWithItsLastTask) {
  task(1);
  const auto leaving = worker.on_message(machine::kLocal, wire::Drain{}, at(1ms));
  EXPECT_TRUE(heard<wire::Ready>(leaving, kAssembler)[0].leaving);
  EXPECT_FALSE(leaving.finished);
  EXPECT_TRUE(done(1, 2ms).finished);
}

TEST_F(CollageWorkerTest, OnlyItsAssemblerGivesAndDropsTasks) {
  (void)worker.on_message({CollageWorker::kSink, 0}, wire::CollageTask{}, at(0ms));
  (void)worker.on_message({CollageWorker::kSink, 0}, wire::DropCollage{}, at(0ms));
  EXPECT_EQ(worker.counters().bad_messages, 2u);
  EXPECT_EQ(worker.counters().repeated, 0u);
}

TEST_F(CollageWorkerTest, WhatCannotBeSentOrReadIsCounted) {
  (void)tell(wire::Undelivered{});
  (void)worker.on_message({CollageWorker::kSink, 0}, wire::Undelivered{}, at(0ms));
  EXPECT_EQ(worker.counters().undelivered, 2u);
  (void)tell(wire::Undecodable{});
  EXPECT_EQ(worker.counters().bad_messages, 1u);
  EXPECT_THAT(tell(wire::Refuse{wire::Reason::wrong_model}).logs, SizeIs(1));
}

TEST_F(CollageWorkerTest, ReportsWhatItHasDoneAndHowLongItTook) {
  task(1);
  task(2);
  (void)done(1, 30ms);
  (void)done(2, 50ms, {});
  const machine::Telemetry report = worker.telemetry();
  EXPECT_THAT(report.not_ready_reasons, IsEmpty());
  EXPECT_EQ(figure(report, "collage_tasks_total", {{"result", "answered"}}), 1);
  EXPECT_EQ(figure(report, "collage_tasks_total", {{"result", "failed"}}), 1);
  EXPECT_EQ(figure(report, "collage_task_duration_seconds"), 2);
  EXPECT_EQ(figure(report, "collage_inference_duration_seconds"), 1);
}

// Dashboards, alerts and observers look figures up by these names.
TEST_F(CollageWorkerTest, NoFigureChangesItsName) {
  EXPECT_EQ(names(worker.telemetry()), R"(
counter collage_answers_sent_again_total
counter collage_dropped_total reason=bad_message
counter collage_dropped_total reason=expired
counter collage_dropped_total reason=over_credit
counter collage_dropped_total reason=repeated
counter collage_dropped_total reason=undelivered
counter collage_tasks_total result=answered
counter collage_tasks_total result=failed
counter collage_tasks_total result=not_wanted
gauge collage_joined
gauge collage_model_info version=
gauge collage_tasks_held
histogram collage_inference_duration_seconds
histogram collage_task_duration_seconds
)");
}

}  // namespace
}  // namespace stages::collage
