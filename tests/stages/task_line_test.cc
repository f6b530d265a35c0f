#include "stages/task_line.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/values.h"

namespace stages {
namespace {

using namespace std::chrono_literals;

std::optional<Emulation> always(double seconds) {
  return Emulation{machine::QuantileTable({{0, seconds}, {1, seconds}}), machine::Rng(1)};
}

TEST(TaskLine, TasksAreWorkedOnOneAtATimeInOrder) {
  TaskLine<std::string> line(std::nullopt);
  EXPECT_TRUE(line.idle());
  EXPECT_THAT(line.start(at(0ms)), testing::IsEmpty());
  line.push("first", at(0ms));
  line.push("second", at(1ms));
  ASSERT_THAT(line.start(at(2ms)), testing::SizeIs(1));
  EXPECT_THAT(line.start(at(2ms)), testing::IsEmpty());
  EXPECT_EQ(line.release(at(5ms)), std::nullopt);  // Not done yet.
  line.done({}, at(9ms));
  EXPECT_THAT(line.start(at(9ms)), testing::IsEmpty());  // Not released yet.
  const auto finished = line.release(at(9ms));
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->task, "first");
  EXPECT_EQ(finished->arrived, at(0ms));
  EXPECT_EQ(line.release(at(9ms)), std::nullopt);
  ASSERT_THAT(line.start(at(9ms)), testing::SizeIs(1));
  EXPECT_FALSE(line.idle());
}

TEST(TaskLine, TheOutcomeStaysWithItsTask) {
  TaskLine<std::string> line(std::nullopt);
  line.push("one", at(0ms));
  (void)line.start(at(0ms));
  line.done({wire::Verdict{{{{3}, 0.5f}}, wire::Reason::none}, 4ms, "v1"}, at(1ms));
  const auto finished = line.release(at(1ms));
  ASSERT_TRUE(finished);
  EXPECT_EQ(std::get<wire::Verdict>(finished->outcome.what).predictions[0].label.value, 3u);
  EXPECT_EQ(finished->outcome.compute, 4ms);
  EXPECT_EQ(finished->outcome.version, "v1");
}

TEST(TaskLine, SeveralThatWaitAreWorkedOnTogetherAndEachHasItsOutcome) {
  TaskLine<std::string> line(std::nullopt);
  for (const char* task : {"a", "b", "c"}) line.push(task, at(0ms));
  const std::vector<std::string*> tasks = line.start(at(1ms), 2);
  ASSERT_THAT(tasks, testing::SizeIs(2));
  EXPECT_EQ(*tasks[0] + *tasks[1], "ab");
  EXPECT_THAT(line.start(at(1ms), 2), testing::IsEmpty());
  machine::Outcome outcome{wire::Verdict{}, 4ms, "of a"};
  outcome.more.push_back({wire::Verdict{}, 4ms, "of b"});
  line.done(std::move(outcome), at(5ms));
  for (const char* name : {"a", "b"}) {
    EXPECT_FALSE(line.idle());
    const auto finished = line.release(at(5ms));
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->task, name);
    EXPECT_EQ(finished->outcome.version, std::string("of ") + name);
    EXPECT_THAT(finished->outcome.more, testing::IsEmpty());
  }
  EXPECT_FALSE(line.release(at(5ms)));
  EXPECT_THAT(line.start(at(5ms), 2), testing::SizeIs(1));
}

TEST(TaskLine, WithAnEmulationTasksAreTakenOneByOne) {
  TaskLine<std::string> line(always(0.5));
  line.push("one", at(0ms));
  line.push("two", at(0ms));
  EXPECT_THAT(line.start(at(0ms), 4), testing::SizeIs(1));
}

TEST(TaskLine, AnEmulatedLatencyHoldsTheAnswerFromTheTasksBegin) {
  TaskLine<std::string> line(always(0.5));
  line.push("one", at(0ms));
  (void)line.start(at(100ms));
  EXPECT_EQ(line.next_timeout(), std::nullopt);
  line.done({}, at(140ms));
  EXPECT_EQ(line.next_timeout(), at(600ms));
  EXPECT_FALSE(line.release(at(599ms)));
  EXPECT_TRUE(line.release(at(600ms)));
  EXPECT_EQ(line.next_timeout(), std::nullopt);
}

TEST(TaskLine, AComputeLongerThanTheEmulatedLatencyIsNotHeldFurther) {
  TaskLine<std::string> line(always(0.5));
  line.push("one", at(0ms));
  (void)line.start(at(0ms));
  line.done({}, at(700ms));
  EXPECT_EQ(line.next_timeout(), at(700ms));
  EXPECT_TRUE(line.release(at(700ms)));
}

TEST(TaskLine, DroppingSparesTheTaskUnderWay) {
  TaskLine<std::string> line(std::nullopt);
  for (const char* task : {"a", "b", "c", "b"}) line.push(task, at(0ms));
  (void)line.start(at(0ms));
  std::vector<std::string> dropped;
  const auto note = [&](const std::string& task) { dropped.push_back(task); };
  line.drop([](const std::string& task, wire::Instant) { return task != "c"; }, note);
  EXPECT_THAT(dropped, testing::ElementsAre("b", "b"));
  line.done({}, at(1ms));
  EXPECT_EQ(line.release(at(1ms))->task, "a");
  EXPECT_EQ(*line.start(at(1ms)).front(), "c");
}

}  // namespace
}  // namespace stages
