#include "replay/sim/sink_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/values.h"

namespace replay::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Two sinks, of which one is faulty; deadlines of 3 s, and 600 ms until a fault is noticed: 350 ms
// of silence, two heartbeats and 50 ms.
class SinkCheckerTest : public testing::Test {
 protected:
  static constexpr NodeId kBroker = 0, kSink = 1, kOther = 2, kStage = 3, kProducer = 4;

  SinkCheckerTest() : log_(0), violations_(log_) {
    options_.fleet.sinks = 2;
    options_.fleet.broker.deadline = 3s;
    options_.fleet.broker.heartbeat = 100ms;
    options_.faults.one_sink = true;
    for (const NodeId sink : {kSink, kOther}) {
      wire::WorkerHello hello;
      hello.role = wire::Role::sink;
      hello.sink = static_cast<wire::SinkIndex>(sink - kSink);
      checker_.on_arrived(sink, hello, at(0ms));
    }
    checker_.on_arrived(kProducer, wire::Submit{{5}, 0ms, image_}, at(0ms));
    opened(kSink, 1ms);
  }
  void opened(NodeId sink, wire::Duration when) {
    checker_.on_sent(kBroker, sink, wire::BatchOpened{batch(1), 4, 0ms, false}, at(when));
  }
  void assign(wire::SinkIndex sink, wire::Duration when) {
    wire::Assign assign{{1}, batch(1), 0, false, 0ms, 1s, image_};
    assign.sink = sink;
    checker_.on_sent(kBroker, kStage, assign, at(when));
  }
  void answer(wire::Duration when) {
    wire::Answer answer;
    answer.batch = batch(1);
    checker_.on_sent(kStage, kSink, answer, at(when));
  }
  void miss(wire::Duration when) {
    wire::Result result;
    result.request = {5};
    checker_.on_sent(kBroker, kProducer, result, at(when));
  }
  const std::vector<std::string>& found() const { return violations_.texts(); }

  const wire::Payload image_ = make_image(7, true);
  TrialOptions options_;
  EventLog log_;
  Violations violations_;
  SinkChecker checker_{options_, violations_};
};

TEST_F(SinkCheckerTest, ATaskThatNamesTheSinkOfItsBatchIsRight) {
  assign(0, 2ms);
  opened(kOther, 500ms);
  assign(1, 501ms);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(SinkCheckerTest, FindsATaskThatNamesAnotherSink) {
  assign(1, 2ms);
  EXPECT_THAT(found(), ElementsAre("a task names another sink than that of its batch"));
}

TEST_F(SinkCheckerTest, FindsAnAnswerThatIsLostWithItsSink) {
  assign(0, 2ms);
  answer(2400ms);
  miss(3s);
  EXPECT_THAT(found(), ElementsAre("an answer is lost with its sink"));
}

TEST_F(SinkCheckerTest, AnAnswerJustBeforeTheDeadlineMayBeLost) {
  assign(0, 2ms);
  answer(2401ms);
  miss(3s);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(SinkCheckerTest, AnImageThatNoSCnnHasAnsweredMayBeMissing) {
  assign(0, 2ms);
  miss(3s);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(SinkCheckerTest, ARequestThatIsSentAgainAfterItsResultIsAnother) {
  assign(0, 2ms);
  answer(100ms);
  wire::Result result;
  result.request = {5};
  result.status = wire::ResultStatus::answered;
  checker_.on_sent(kBroker, kProducer, result, at(101ms));
  checker_.on_arrived(kProducer, wire::Submit{{5}, 0ms, image_}, at(102ms));
  miss(3102ms);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(SinkCheckerTest, AmongOtherFaultsAnAnswerMayBeLost) {
  options_.faults.one_sink = false;
  assign(0, 2ms);
  answer(100ms);
  miss(3s);
  EXPECT_THAT(found(), IsEmpty());
}

}  // namespace
}  // namespace replay::sim
