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

// A sink of 100 ms of patience, which takes in two batches at once; three slots a batch, of which
// the last is blank.  The images are admitted when their batch opens.
class PatienceAtASink : public SinkCheckerTest {
 protected:
  PatienceAtASink() {
    options_.fixed_patience = true;
    options_.fleet.sink.patience.initial = 100ms;
    options_.fleet.sink.joiner.open_batch_max = 2;
    options_.fleet.sink.joiner.gate = 0.5F;
  }
  void open(std::uint64_t n, wire::Duration when) {
    checker_.on_arrived_at_sink(kSink, wire::BatchOpened{batch(n), 3, 0ms, true}, at(when));
  }
  void seal(std::uint64_t n, wire::Duration when, wire::Duration age, bool collage_only = false) {
    const wire::BatchSealed sealed{batch(n), {age, age}, collage_only};
    checker_.on_arrived_at_sink(kSink, sealed, at(when));
  }
  void collage(std::uint64_t n, wire::Duration when, float probability = 1) {
    wire::CollageAnswer answer;
    answer.batch = batch(n);
    answer.cells.assign(3, {{{7}, probability}});
    checker_.on_arrived_at_sink(kSink, answer, at(when));
  }
  void settle(std::uint64_t n, wire::Slot slot, wire::Duration when) {
    wire::SlotSettled settled;
    settled.batch = batch(n);
    settled.slot = slot;
    checker_.on_sent(kSink, kBroker, settled, at(when));
  }
  std::size_t found_at(wire::Duration when) {
    checker_.on_time(at(when));
    return found().size();
  }
};

TEST_F(PatienceAtASink, FindsASlotThatIsOpenWhenItIsOver) {
  open(1, 0ms);
  seal(1, 20ms, 20ms);
  collage(1, 60ms);
  settle(1, 0, 90ms);
  EXPECT_EQ(found_at(100ms), 0u);
  EXPECT_EQ(found_at(101ms), 1u);
  EXPECT_THAT(found(),
              ElementsAre("a slot is open though its collage has come and patience is over"));
}

TEST_F(PatienceAtASink, SlotsThatAreSettledWhenItEndsAreRight) {
  open(1, 0ms);
  seal(1, 20ms, 20ms);
  collage(1, 60ms);
  settle(1, 0, 90ms);
  settle(1, 1, 100ms);
  EXPECT_EQ(found_at(1s), 0u);
}

TEST_F(PatienceAtASink, WhenItIsOverOrThereAreNoSinglesACollageSettlesAtOnce) {
  open(1, 0ms);
  seal(1, 20ms, 20ms);
  collage(1, 300ms);
  EXPECT_EQ(found_at(300ms), 0u);
  EXPECT_EQ(found_at(301ms), 2u);
  open(2, 400ms);
  seal(2, 400ms, 0ms, true);
  collage(2, 410ms);
  EXPECT_EQ(found_at(411ms), 4u);
}

TEST_F(PatienceAtASink, ACollageBelowTheGateSettlesNothing) {
  open(1, 0ms);
  seal(1, 20ms, 20ms);
  collage(1, 60ms, 0.4F);
  EXPECT_EQ(found_at(1s), 0u);
}

TEST_F(PatienceAtASink, EndsWithItsBatch) {
  open(1, 0ms);
  seal(1, 20ms, 20ms);
  collage(1, 60ms);
  checker_.on_arrived_at_sink(kSink, wire::BatchSettled{batch(1)}, at(80ms));
  open(2, 90ms);
  seal(2, 90ms, 0ms);
  collage(2, 3090ms);  // The deadline is 3 s.
  EXPECT_EQ(found_at(4s), 0u);
}

TEST_F(PatienceAtASink, IsNotAskedOfABatchThatItMayNotHave) {
  collage(1, 0ms);
  for (std::uint64_t n = 1; n <= 3; ++n) {
    open(n, 10ms);
    seal(n, 10ms, 0ms);
  }
  collage(1, 20ms);
  collage(3, 20ms);
  EXPECT_EQ(found_at(1s), 0u);
  collage(2, 1s);
  EXPECT_EQ(found_at(1001ms), 2u);
}

TEST_F(PatienceAtASink, IsNotAskedOfASinkThatMayBeFaulty) {
  options_.faults.stalls = 1;
  open(1, 0ms);
  seal(1, 20ms, 20ms);
  collage(1, 60ms);
  EXPECT_EQ(found_at(1s), 0u);
}

}  // namespace
}  // namespace replay::sim
