#include "replay/sim/overload_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "tests/values.h"

namespace replay::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Priority;
using wire::ResultStatus;
using wire::Source;

constexpr NodeId kAnn = 1, kBob = 2, kSingle = 3, kAssembler = 4;

// Requests 100 and later are Bob's, the others Ann's; the token of a request is its number.
class OverloadCheckerTest : public testing::Test {
 protected:
  OverloadCheckerTest() : log_(0), violations_(log_) {
    broker::Policy& broker = options_.fleet.broker;
    broker.redundancy.collages_per_batch = 1;
    broker.deadline = 1s;
    options_.executor.single.least = 20ms;
    begin();
  }
  // To be called after a change of the options.
  void begin(OverloadChecker::Weights weights = {}) {
    checker_.emplace(options_, violations_, std::move(weights));
    arrives(kAnn, wire::ProducerHello{id_of(kAnn), false});
    arrives(kBob, wire::ProducerHello{id_of(kBob), false});
    arrives(kSingle, wire::WorkerHello{{3, 1}, wire::Role::classifier, {}, 1});
    arrives(kAssembler, wire::WorkerHello{{3, 2}, wire::Role::assembler, {}, 2});
  }
  void refuse_overload() {
    options_.fleet.broker.brownout = false;
    begin();
  }

  static wire::ProducerId id_of(NodeId producer) { return {1, producer}; }
  static NodeId owner(std::uint64_t request) { return request < 100 ? kAnn : kBob; }
  void arrives(NodeId from, wire::Message message) { checker_->on_arrived(from, message, now_); }
  void sends(NodeId to, wire::Message message) { checker_->on_sent(to, message, now_); }
  void ready(NodeId stage) { arrives(stage, wire::Ready{{sequence_}, {}, false}); }
  void status(std::vector<wire::Counter> counters = {}) {
    sends(0, wire::Status{std::move(counters)});
  }

  void submit(std::uint64_t request, wire::Duration remaining = {},
              Priority priority = Priority::normal) {
    arrives(owner(request),
            wire::Submit{{request}, remaining, make_image(request, true), priority, 0});
  }
  // The broker puts an image into its line.
  void wait(std::uint64_t request, Priority priority = Priority::normal) {
    submit(request, {}, priority);
    trace("admitted", request);
  }
  void trace(std::string_view what, std::uint64_t request, wire::BatchId batch = {}) {
    machine::TraceEvent event;
    event.what = what;
    event.batch = batch;
    event.producer = id_of(owner(request));
    event.request = {request};
    checker_->on_traced({event}, now_);
  }
  // Gives an image out, in a batch of its number.
  void give(std::uint64_t request, NodeId stage = kSingle, wire::Duration remaining = 500ms) {
    sends(stage,
          wire::Assign{
              {++sequence_}, batch(request), 0, false, 0ms, remaining, make_image(request, true)});
  }
  void result(std::uint64_t request, ResultStatus status, Source source = Source::none,
              bool brownout = false) {
    trace(to_string(status), request);
    wire::Result result;
    result.request = {request};
    result.status = status;
    result.source = source;
    result.brownout = brownout;
    sends(owner(request), result);
  }
  void refused(std::uint64_t request) {
    wire::Result result;
    result.request = {request};
    result.status = ResultStatus::refused;
    result.reason = wire::Reason::overloaded;
    sends(owner(request), result);
  }
  const std::vector<std::string>& found() const { return violations_.texts(); }

  TrialOptions options_;
  EventLog log_;
  Violations violations_;
  std::optional<OverloadChecker> checker_;
  wire::Instant now_;
  std::uint64_t sequence_ = 0;
};

// --- images and their answers ---

TEST_F(OverloadCheckerTest, AnImageThatWaitsIsGivenAndAnsweredInTimeIsRight) {
  wait(1);
  give(1);
  arrives(0, wire::SlotSettled{batch(1), 0, Source::single, {}, {}});
  result(1, ResultStatus::answered, Source::single);
  ready(kSingle);
  status();
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OverloadCheckerTest, FindsAnAnswerAtTheDeadline) {
  wait(1);
  give(1);
  now_ = at(1s);
  result(1, ResultStatus::answered, Source::single);
  EXPECT_THAT(found(), ElementsAre("the broker answers an image after its deadline"));
}

TEST_F(OverloadCheckerTest, TheDeadlineIsTheRequestsOwn) {
  submit(1, 300ms);
  trace("admitted", 1);
  give(1);
  now_ = at(300ms);
  result(1, ResultStatus::missing);  // No answer: this is right.
  submit(2, 300ms);
  trace("admitted", 2);
  give(2);
  now_ = at(600ms);
  result(2, ResultStatus::answered, Source::single);
  EXPECT_THAT(found(), ElementsAre("the broker answers an image after its deadline"));
}

TEST_F(OverloadCheckerTest, FindsAnImageThatIsGivenOutTooLate) {
  wait(1);
  wait(2);
  give(1, kSingle, 9ms);
  give(2, kSingle, 0ms);
  EXPECT_THAT(found(),
              ElementsAre("the broker gives out an image that cannot be classified in time",
                          "the broker gives out an image whose time is over",
                          "the broker gives out an image that cannot be classified in "
                          "time"));
}

TEST_F(OverloadCheckerTest, WithFaultsABrokerMayNotKnowHowLongATaskTakes) {
  options_.faults.stalls = 1;
  begin();
  wait(1);
  give(1, kSingle, 9ms);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OverloadCheckerTest, FindsASettledSlotThatIsNotPassedOn) {
  wait(1);
  give(1);
  arrives(0, wire::SlotSettled{batch(1), 0, Source::single, {}, {}});
  arrives(kAnn, wire::StatusRequest{});
  EXPECT_THAT(found(), ElementsAre("the broker does not pass on what the sink has settled"));
}

TEST_F(OverloadCheckerTest, FindsATaskThatIsTakenBackThoughItsSlotIsOpen) {
  wait(1);
  give(1);
  sends(kSingle, wire::Withdraw{{1}});
  sends(kSingle, wire::Withdraw{{7}});
  result(1, ResultStatus::cancelled);
  sends(kSingle, wire::Withdraw{{1}});
  EXPECT_THAT(found(), ElementsAre("the broker withdraws a task whose slot is open",
                                   "the broker withdraws a task that it did not give"));
}

// --- brownout ---

TEST_F(OverloadCheckerTest, AnImageThatOnlyACollageHadIsAnsweredByBrownout) {
  wait(1);
  give(1, kAssembler);
  result(1, ResultStatus::answered, Source::collage, true);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OverloadCheckerTest, FindsBrownoutOfAnImageThatAnSCnnHas) {
  wait(1);
  give(1, kAssembler);
  give(1, kSingle);
  result(1, ResultStatus::answered, Source::collage, true);
  EXPECT_THAT(found(), ElementsAre("an answer says brownout though an s-CNN has the image"));
}

TEST_F(OverloadCheckerTest, FindsBrownoutOfASingleOrAgainstThePolicy) {
  wait(1);
  result(1, ResultStatus::answered, Source::single, true);
  refuse_overload();
  wait(2);
  result(2, ResultStatus::answered, Source::collage, true);
  const std::string against = "an answer says brownout against the policy";
  EXPECT_THAT(found(), ElementsAre(against, against));
}

// --- shares ---

constexpr const char* kUnfair = "a producer gets more than its share while another one waits";

TEST_F(OverloadCheckerTest, ProducersThatTakeTurnsShare) {
  refuse_overload();
  for (const std::uint64_t request : {1u, 2u, 3u, 101u, 102u, 103u}) wait(request);
  for (const std::uint64_t request : {1u, 101u, 2u, 102u, 3u, 103u}) give(request);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OverloadCheckerTest, FindsAProducerThatGetsTwoImagesInARow) {
  refuse_overload();
  for (const std::uint64_t request : {1u, 2u, 101u}) wait(request);
  give(1);
  EXPECT_THAT(found(), IsEmpty());
  give(2);
  EXPECT_THAT(found(), ElementsAre(kUnfair));
}

TEST_F(OverloadCheckerTest, AProducerThatDidNotWaitHasNoShareYet) {
  refuse_overload();
  for (const std::uint64_t request : {1u, 2u, 3u}) wait(request);
  give(1);
  wait(101);
  give(2);
  EXPECT_THAT(found(), IsEmpty());
  give(3);
  EXPECT_THAT(found(), ElementsAre(kUnfair));
}

TEST_F(OverloadCheckerTest, AnImageThatIsTooLateUsesTheTurnOfItsProducer) {
  refuse_overload();
  for (const std::uint64_t request : {1u, 2u, 101u, 102u}) wait(request);
  give(1);
  result(101, ResultStatus::missing);
  now_ = at(1ms);
  give(2);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OverloadCheckerTest, AnImageThatIsCancelledUsesNoTurn) {
  refuse_overload();
  for (const std::uint64_t request : {1u, 2u, 101u, 102u}) wait(request);
  give(1);
  result(101, ResultStatus::cancelled);
  give(2);
  EXPECT_THAT(found(), ElementsAre(kUnfair));
}

TEST_F(OverloadCheckerTest, PrioritiesDoNotShareWithEachOther) {
  refuse_overload();
  for (const std::uint64_t request : {1u, 2u, 3u}) wait(request, Priority::high);
  wait(101, Priority::low);
  for (const std::uint64_t request : {1u, 2u, 3u}) give(request);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OverloadCheckerTest, AWeightIsTheLengthOfATurn) {
  options_.fleet.broker.brownout = false;
  begin({{kBob, 3}});
  for (std::uint64_t request = 1; request <= 3; ++request) wait(request);
  for (std::uint64_t request = 101; request <= 110; ++request) wait(request);
  for (const std::uint64_t request : {1u, 101u, 102u, 103u, 2u, 104u, 105u, 106u}) give(request);
  EXPECT_THAT(found(), IsEmpty());
  give(107);
  EXPECT_THAT(found(), ElementsAre(kUnfair));
}

TEST_F(OverloadCheckerTest, FindsAWeightThatIsNotKept) {
  options_.fleet.broker.brownout = false;
  begin({{kBob, 3}});
  for (std::uint64_t request = 1; request <= 4; ++request) wait(request);
  for (std::uint64_t request = 101; request <= 104; ++request) wait(request);
  give(101);
  give(1);
  give(102);
  EXPECT_THAT(found(), IsEmpty());
  give(2);
  EXPECT_THAT(found(), ElementsAre(kUnfair));
}

TEST_F(OverloadCheckerTest, UnderBrownoutCollagesShareToo) {
  for (std::uint64_t request = 1; request <= 6; ++request) wait(request);
  for (std::uint64_t request = 101; request <= 106; ++request) wait(request);
  give(101, kAssembler);  // The favoured one of each.
  give(1, kAssembler);
  for (const std::uint64_t request : {102u, 2u, 103u, 3u}) give(request, kAssembler);
  EXPECT_THAT(found(), IsEmpty());
  give(4);
  give(5);
  EXPECT_THAT(found(), ElementsAre(kUnfair));
}

TEST_F(OverloadCheckerTest, UnderBrownoutAProducerWhoseFavouredImageIsLeftMayBeBehind) {
  for (std::uint64_t request = 1; request <= 6; ++request) wait(request);
  wait(101);  // A collage leaves it to the s-CNNs.
  wait(102);
  for (std::uint64_t request = 1; request <= 4; ++request) give(request, kAssembler);
  EXPECT_THAT(found(), IsEmpty());
  give(101);
  give(5);
  give(6);
  EXPECT_THAT(found(), IsEmpty());  // One of them may be such an image, too.
  wait(7);
  give(7);
  EXPECT_THAT(found(), ElementsAre(kUnfair));
}

TEST_F(OverloadCheckerTest, ABrokerThatHasRestartedOwesNoShares) {
  refuse_overload();
  for (const std::uint64_t request : {1u, 2u, 101u}) wait(request);
  give(1);
  checker_->on_broker_life();
  give(2);
  EXPECT_THAT(found(), IsEmpty());
}

// --- stages that idle ---

TEST_F(OverloadCheckerTest, FindsAnImageThatWaitsWhileAnSCnnIdles) {
  ready(kSingle);
  wait(1);
  status();
  EXPECT_THAT(found(), ElementsAre("an image waits while an s-CNN idles"));
}

TEST_F(OverloadCheckerTest, FindsAnImageThatWaitsWhileACollageStageIdles) {
  ready(kAssembler);
  wait(1);
  status();
  EXPECT_THAT(found(), ElementsAre("an image waits while a collage stage idles"));
}

TEST_F(OverloadCheckerTest, AStageThatIsBusyLeavingOrOnProbationDoesNotIdle) {
  refuse_overload();
  ready(kSingle);
  wait(1);
  give(1);
  wait(2);
  status();  // Its one place is taken.
  ready(kSingle);
  status({{"classifiers_on_probation", 1}});
  arrives(kSingle, wire::Ready{{1}, {}, true});
  status();
  ready(kAssembler);
  status();  // With `refuse` it takes nothing from the line.
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OverloadCheckerTest, FindsARefusalWhileAStageIdles) {
  status();
  ready(kSingle);
  submit(1);
  refused(1);
  ready(kAssembler);
  submit(2);
  refused(2);
  status();
  EXPECT_THAT(found(), ElementsAre("an image is refused while an s-CNN idles",
                                   "an image is refused while an s-CNN idles",
                                   "an image is refused while a collage stage idles"));
}

TEST_F(OverloadCheckerTest, ARefusalIsRightWhileStagesAreBusyOrTheTimeIsShort) {
  ready(kSingle);
  wait(1);
  give(1);
  submit(2);
  refused(2);
  ready(kSingle);
  submit(3, 100ms);
  refused(3);
  status();
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(OverloadCheckerTest, WithFaultsAStageMayIdleUnknownToTheBroker) {
  options_.faults.links.loss = 0.01;
  begin();
  ready(kSingle);
  submit(1);
  refused(1);
  wait(2);
  status();
  EXPECT_THAT(found(), IsEmpty());
}

}  // namespace
}  // namespace replay::sim
