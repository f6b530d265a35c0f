#include "stages/task_stage.h"

#include <gmock/gmock.h>

#include "tests/figure.h"
#include "tests/stages/heard.h"
#include "tests/values.h"

namespace stages {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr machine::Peer kSink{kSinkLink, 0};

// Answers every task with its slot, and notes the order of what TaskStage asks of it.
class Echo : public TaskStage<wire::Assign, TaskCounters> {
 public:
  using TaskStage::TaskStage;

  std::vector<std::string> calls;
  bool usable = true;

 private:
  decltype(machine::Work::job) job(std::span<wire::Assign* const> tasks) override {
    wire::Assign& task = *tasks.front();
    calls.push_back("job " + std::to_string(task.slot));
    return machine::Classify{std::move(task.image)};
  }
  Given answer(Finished& finished, wire::Duration age) override {
    calls.push_back("answer " + std::to_string(finished.task.slot) + " age " +
                    std::to_string(age / 1ms));
    wire::Answer answer;
    answer.slot = finished.task.slot;
    return {answer, usable};
  }
  bool on_other(const wire::Message& message) override {
    return std::holds_alternative<wire::DropCollage>(message);
  }
  void on_new_coordinator() override { calls.push_back("new coordinator"); }
  std::span<const machine::Figure<TaskCounters>> figures() const override { return {}; }
};

class TaskStageTest : public testing::Test {
 protected:
  TaskStageTest() {
    (void)stage.on_timeout(at(0ms));
    (void)stage.on_message(kCoordinator, wire::Welcome{kEpoch, 1s, 0, 0, 1s}, at(0ms));
  }
  machine::Actions assign(std::uint64_t number, wire::Duration t = 0ms,
                          machine::Peer from = kCoordinator, wire::Duration remaining = 1s,
                          wire::SinkIndex sink = 0) {
    wire::Assign task;
    task.sink = sink;
    task.sequence = {number};
    task.batch = {kEpoch, {1}};
    task.slot = static_cast<wire::Slot>(number);
    task.age = 10ms;
    task.remaining = remaining;
    return stage.on_message(from, task, at(t));
  }
  machine::Actions done(std::uint64_t work, wire::Duration t) {
    return stage.on_done({work}, {wire::Verdict{}, 4ms, "v1"}, at(t));
  }

  Echo stage{wire::WorkerHello{{1, 2}, wire::Role::classifier, {}, 2},
             Membership::Policy{100ms, 1s}, std::nullopt, 2};
};

TEST_F(TaskStageTest, ATaskIsWorkedOnAnsweredAndItsCreditGivenBackInThisOrder) {
  EXPECT_EQ(assign(1).work->id, wire::WorkId{1});
  EXPECT_FALSE(assign(2, 5ms).work);
  const auto actions = done(1, 30ms);
  EXPECT_THAT(stage.calls, ElementsAre("new coordinator", "job 1", "answer 1 age 40", "job 2"));
  ASSERT_THAT(actions.messages, SizeIs(2));
  EXPECT_EQ(actions.messages[0].to, kSink);
  EXPECT_EQ(actions.messages[1].to, kCoordinator);
  EXPECT_EQ(actions.work->id, wire::WorkId{2});
}

TEST_F(TaskStageTest, ANewEpochOfTheCoordinatorIsNoticedOnce) {
  (void)stage.on_message(kCoordinator, wire::Welcome{kEpoch, 1s, 0, 0, 1s}, at(1ms));
  EXPECT_THAT(stage.calls, SizeIs(1));
  (void)stage.on_message(kCoordinator, wire::Welcome{kOtherEpoch, 1s, 0, 0, 1s}, at(2ms));
  EXPECT_THAT(stage.calls, SizeIs(2));
}

TEST_F(TaskStageTest, OnlyTheCoordinatorGivesTasks) {
  EXPECT_FALSE(assign(1, 0ms, kSink).work);
  EXPECT_EQ(stage.counters().bad_messages, 1u);
  (void)stage.on_message(kSink, wire::DropCollage{}, at(0ms));
  EXPECT_EQ(stage.counters().bad_messages, 2u);
  (void)stage.on_message(kCoordinator, wire::DropCollage{}, at(0ms));
  EXPECT_EQ(stage.counters().bad_messages, 2u);
}

TEST_F(TaskStageTest, ALostSinkConnectionLeavesTheMembershipAsItIs) {
  const auto due = stage.next_timeout();
  (void)stage.on_message(kSink, wire::Undelivered{}, at(0ms));
  EXPECT_EQ(stage.next_timeout(), due);
  (void)stage.on_message(kCoordinator, wire::Undelivered{}, at(0ms));
  EXPECT_GT(stage.next_timeout(), due);
  EXPECT_EQ(stage.counters().undelivered, 2u);
}

TEST_F(TaskStageTest, OnlyUsableInferencesAreTimed) {
  assign(1);
  (void)done(1, 30ms);
  stage.usable = false;
  assign(2, 40ms);
  (void)done(2, 50ms);
  const machine::Telemetry report = stage.telemetry();
  EXPECT_EQ(figure(report, "collage_task_duration_seconds"), 2);
  EXPECT_EQ(figure(report, "collage_inference_duration_seconds"), 1);
}

TEST_F(TaskStageTest, IsFinishedWhenItLeavesAndHoldsNoTask) {
  assign(1);
  EXPECT_FALSE(stage.on_message(machine::kLocal, wire::Drain{}, at(1ms)).finished);
  EXPECT_TRUE(done(1, 2ms).finished);
}

TEST_F(TaskStageTest, ATaskWhoseTimeIsOverIsNotBegunAndItsCreditGoesBack) {
  assign(1);
  assign(2, 0ms, kCoordinator, 20ms);
  const auto actions = done(1, 20ms);
  EXPECT_FALSE(actions.work);
  EXPECT_EQ(stage.counters().expired, 1u);
  ASSERT_FALSE(actions.messages.empty());
  EXPECT_THAT(std::get<wire::Ready>(actions.messages.back().message).held, IsEmpty());
  EXPECT_EQ(figure(stage.telemetry(), "collage_dropped_total", {{"reason", "expired"}}), 1);
}

TEST_F(TaskStageTest, ATaskThatHasTimeLeftIsBegun) {
  assign(1);
  assign(2, 5ms, kCoordinator, 20ms);
  EXPECT_TRUE(done(1, 24ms).work);
  EXPECT_EQ(stage.counters().expired, 0u);
}

TEST_F(TaskStageTest, ATaskThatComesTooLateIsDroppedAtOnce) {
  EXPECT_FALSE(assign(1, 0ms, kCoordinator, 0ms).work);
  EXPECT_EQ(stage.counters().expired, 1u);
}

TEST_F(TaskStageTest, ATaskUnderWayDoesNotExpire) {
  EXPECT_TRUE(assign(1, 0ms, kCoordinator, 20ms).work);
  EXPECT_THAT(done(1, 30ms).messages, SizeIs(2));
  EXPECT_EQ(stage.counters().expired, 0u);
}

// The slots that a sink is answered.
std::vector<int> answered(const machine::Actions& actions, wire::SinkIndex sink) {
  std::vector<int> slots;
  for (const auto& answer : heard<wire::Answer>(actions, kSinkLink + sink)) {
    slots.push_back(answer.slot);
  }
  return slots;
}

TEST_F(TaskStageTest, AnAnswerGoesToTheSinkThatItsTaskNames) {
  (void)assign(1, 0ms, kCoordinator, 1s, 1);
  EXPECT_THAT(answered(done(1, 5ms), 1), ElementsAre(1));
}

TEST_F(TaskStageTest, TasksOfASinkThatIsLostAreAnsweredToTheOther) {
  (void)assign(1);
  (void)assign(2);
  (void)stage.on_message(kCoordinator, wire::Redirect{0, 1, batch(1)}, at(1ms));
  EXPECT_THAT(answered(done(1, 5ms), 1), ElementsAre(1));
  EXPECT_THAT(answered(done(2, 9ms), 1), ElementsAre(2));
}

TEST_F(TaskStageTest, AnswersThatALostSinkGotAreSentAgainToTheOther) {
  (void)assign(1);
  EXPECT_THAT(answered(done(1, 5ms), 0), ElementsAre(1));
  const auto actions = stage.on_message(kCoordinator, wire::Redirect{0, 1, batch(1)}, at(9ms));
  EXPECT_THAT(answered(actions, 1), ElementsAre(1));
  EXPECT_EQ(stage.counters().sent_again, 1u);
}

TEST_F(TaskStageTest, AnswersOfAFormerEpochAreNotSentAgain) {
  (void)assign(1);
  (void)done(1, 5ms);
  (void)stage.on_message(kCoordinator, wire::Welcome{kOtherEpoch, 1s, 0, 0, 1s}, at(6ms));
  const auto actions = stage.on_message(kCoordinator, wire::Redirect{0, 1, {kEpoch, {1}}}, at(9ms));
  EXPECT_THAT(answered(actions, 1), IsEmpty());
}

TEST_F(TaskStageTest, ASinkThatTheStageIsNotConnectedToIsABadMessage) {
  EXPECT_FALSE(assign(1, 0ms, kCoordinator, 1s, 2).work);
  (void)stage.on_message(kCoordinator, wire::Redirect{0, 2, batch(1)}, at(1ms));
  EXPECT_EQ(stage.counters().bad_messages, 2u);
}

TEST_F(TaskStageTest, OnlyTheCoordinatorRedirects) {
  (void)assign(1);
  (void)stage.on_message(kSink, wire::Redirect{0, 1, batch(1)}, at(1ms));
  EXPECT_EQ(stage.counters().bad_messages, 1u);
  EXPECT_THAT(answered(done(1, 5ms), 0), ElementsAre(1));
}

}  // namespace
}  // namespace stages
