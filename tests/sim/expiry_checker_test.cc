#include "replay/sim/expiry_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/values.h"

namespace replay::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr NodeId kStage = 3, kOther = 4;

class ExpiryCheckerTest : public testing::Test {
 protected:
  ExpiryCheckerTest() : log_(0), violations_(log_) {}
  void arrives(const wire::Payload& image, wire::Duration remaining, wire::Duration when) {
    checker_.on_arrived(kStage, wire::Assign{{1}, batch(1), 0, false, 0ms, remaining, image},
                        at(when));
  }
  void begins(const wire::Payload& image, wire::Duration when, NodeId stage = kStage) {
    checker_.on_work(stage, {{1}, machine::Classify{image}}, at(when));
  }
  const std::vector<std::string>& found() const { return violations_.texts(); }

  const wire::Payload image_{wire::Payload::Bytes(8)};
  EventLog log_;
  Violations violations_;
  ExpiryChecker checker_{violations_};
};

TEST_F(ExpiryCheckerTest, ATaskThatIsBegunInTimeIsRight) {
  arrives(image_, 100ms, 10ms);
  begins(image_, 109ms);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(ExpiryCheckerTest, FindsATaskThatIsBegunWhenItsTimeIsOver) {
  arrives(image_, 100ms, 10ms);
  begins(image_, 110ms);
  EXPECT_THAT(found(), ElementsAre("a stage begins a task whose time is over"));
}

TEST_F(ExpiryCheckerTest, LooksAtEachOfSeveralTasksThatAreBegunTogether) {
  const wire::Payload first{wire::Payload::Bytes(8)};
  arrives(first, 900ms, 10ms);
  arrives(image_, 100ms, 10ms);
  checker_.on_work(kStage, {{1}, machine::Classify{first, {image_}}}, at(110ms));
  EXPECT_THAT(found(), ElementsAre("a stage begins a task whose time is over"));
}

TEST_F(ExpiryCheckerTest, FindsACollageThatIsBegunWhenItsTimeIsOver) {
  wire::CollageTask task;
  task.picture = image_;
  task.remaining = 100ms;
  checker_.on_arrived(kStage, task, at(10ms));
  checker_.on_work(kStage, {{1}, machine::ClassifyCollage{image_, {}}}, at(110ms));
  EXPECT_THAT(found(), ElementsAre("a stage begins a task whose time is over"));
}

TEST_F(ExpiryCheckerTest, EachStageHasItsOwnTasks) {
  arrives(image_, 100ms, 10ms);
  begins(image_, 200ms, kOther);
  checker_.on_life(kStage);
  begins(image_, 200ms);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(ExpiryCheckerTest, APasteIsNotJudged) {
  arrives(image_, 100ms, 10ms);
  checker_.on_work(kStage, {{1}, machine::Paste{{}, 0, image_}}, at(200ms));
  EXPECT_THAT(found(), IsEmpty());
}

}  // namespace
}  // namespace replay::sim
