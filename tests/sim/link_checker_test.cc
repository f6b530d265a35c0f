#include "replay/sim/link_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/values.h"

namespace replay::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr wire::BatchId kBatch{{1}, {4}};
constexpr NodeId kSettlingSink = 1, kOtherSink = 2, kGivenStage = 3;

class LinkCheckerTest : public testing::Test {
 protected:
  LinkCheckerTest() : log_(0), violations_(log_) {
    options_.executor.digits = 1;
    options_.fixed_patience = true;
    options_.fleet.sink.patience.initial = 100ms;
    options_.fleet.sink.joiner.gate = 0.5F;
    // Slot 0 has the image 7, admitted at 0; slot 1 has 8, admitted at 50 ms; slot 2 is blank.
    assign(0, 7);
    assign(1, 8);
  }

  void assign(wire::Slot slot, std::uint64_t token) {
    wire::Assign assign;
    assign.batch = kBatch;
    assign.slot = slot;
    assign.image = make_image(token, true);
    checker_.on_assign(assign, at(50ms));
  }
  void seal() { checker_.on_sealed({kBatch, {60ms, 10ms}}, at(60ms)); }
  void settle(wire::Slot slot, wire::Source source, std::uint64_t label, wire::Duration when,
              float probability = 1) {
    wire::SlotSettled settled;
    settled.batch = kBatch;
    settled.slot = slot;
    settled.source = source;
    settled.verdict.predictions = {{{label}, probability}};
    checker_.on_settled(kSettlingSink, settled, at(when));
  }
  void correct(wire::Slot slot, std::uint64_t label) {
    checker_.on_disagreement(kSettlingSink,
                             {kBatch, slot, wire::Source::single, {{{label}, 1}}, ""}, at(1s));
  }
  // Gives a task to a stage that takes two.
  void give(std::uint64_t sequence) {
    wire::Assign assign;
    assign.sequence = {sequence};
    checker_.on_given(kGivenStage, "classifier-0", 2, assign, at(0s));
  }
  const std::vector<std::string>& found() const { return violations_.texts(); }

  TrialOptions options_;
  EventLog log_;
  Violations violations_;
  LinkChecker checker_{options_, violations_};
};

TEST_F(LinkCheckerTest, SinglesAtOnceAndACollageAfterPatienceAreRight) {
  settle(0, wire::Source::single, 7, 55ms);
  seal();
  settle(1, wire::Source::collage, 8, 150ms);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(LinkCheckerTest, FindsACollageAnswerBeforePatienceOrTheSeal) {
  settle(0, wire::Source::collage, 7, 59ms);
  seal();
  settle(1, wire::Source::collage, 8, 149ms);
  EXPECT_THAT(found(), ElementsAre("the collage answer of batch 4 slot 0 comes before the seal",
                                   "the collage answer of batch 4 slot 1 is early"));
}

TEST_F(LinkCheckerTest, FindsAnAnswerForABlankSlotOrBelowTheGate) {
  seal();
  settle(2, wire::Source::collage, 9, 500ms);
  settle(1, wire::Source::collage, 8, 500ms, 0.4F);
  EXPECT_THAT(found(), ElementsAre("the sink settles batch 4 slot 2, a blank slot",
                                   "the collage answer of batch 4 slot 1 is below the gate"));
}

TEST_F(LinkCheckerTest, FindsAnAnswerOfAnotherImageAndASlotWithTwoImages) {
  settle(0, wire::Source::single, 8, 55ms);
  assign(1, 9);
  EXPECT_THAT(found(), ElementsAre(HasSubstr("with the answer of another image"),
                                   "one slot is given two images"));
}

TEST_F(LinkCheckerTest, ASinkMayRepeatItsAnswerWheneverItsBatchIsOpenedAgain) {
  settle(0, wire::Source::single, 7, 55ms);
  checker_.on_opened(kSettlingSink, {kBatch, 2, 60ms, false});
  settle(0, wire::Source::single, 7, 61ms);
  EXPECT_THAT(found(), IsEmpty());
  settle(0, wire::Source::single, 7, 62ms);
  EXPECT_THAT(found(), ElementsAre("the sink settles batch 4 slot 0 twice"));
}

TEST_F(LinkCheckerTest, FindsARepeatedAnswerThatIsAnother) {
  settle(0, wire::Source::single, 7, 55ms);
  checker_.on_opened(kSettlingSink, {kBatch, 2, 60ms, false});
  settle(0, wire::Source::single, 7, 61ms, 0.5F);
  EXPECT_THAT(found(), ElementsAre("the sink settles batch 4 slot 0 twice"));
}

TEST_F(LinkCheckerTest, ASinkSettlesASlotOnceInEachOfItsLives) {
  settle(0, wire::Source::single, 7, 55ms);
  checker_.on_sink_life(kSettlingSink);
  settle(0, wire::Source::single, 7, 56ms);
  EXPECT_THAT(found(), IsEmpty());
  settle(0, wire::Source::single, 7, 57ms);
  EXPECT_THAT(found(), ElementsAre("the sink settles batch 4 slot 0 twice"));
}

TEST_F(LinkCheckerTest, OnlyASlotThatACollageSettledIsCorrectedOnce) {
  seal();
  settle(0, wire::Source::single, 7, 55ms);
  settle(1, wire::Source::collage, 8, 500ms);
  correct(1, 9);
  EXPECT_THAT(found(), IsEmpty());
  correct(1, 9);
  correct(0, 9);
  EXPECT_THAT(found(), ElementsAre(HasSubstr("slot 1, which no collage settled, or again"),
                                   HasSubstr("slot 0, which no collage settled, or again")));
}

TEST_F(LinkCheckerTest, AStageHoldsAtMostTwiceItsCapacity) {
  checker_.on_ready("classifier-0", 1, {.seen = {}, .held = {{1}, {2}}}, at(0s));
  EXPECT_THAT(found(), IsEmpty());
  checker_.on_ready("classifier-0", 1, {.seen = {}, .held = {{1}, {2}, {3}}}, at(0s));
  EXPECT_THAT(found(), ElementsAre("classifier-0 holds 3 tasks with a capacity of 1"));
}

TEST_F(LinkCheckerTest, FindsATaskThatAStageHasNoRoomFor) {
  give(1);
  give(1);  // Another image of its batch.
  give(2);
  checker_.on_heard(kGivenStage, wire::Ready{{2}, {{2}}});
  give(3);
  give(1);  // An image that comes when its collage is done.
  EXPECT_THAT(found(), IsEmpty());
  checker_.on_heard(kGivenStage, wire::Ready{{2}, {{2}}});  // It has not seen the third yet.
  give(4);
  EXPECT_THAT(found(), ElementsAre("classifier-0 is given 3 tasks with a capacity of 2"));
}

TEST_F(LinkCheckerTest, WhatWasGivenBeforeAHelloOrToAnotherLifeTakesNoRoom) {
  give(1);
  give(2);
  checker_.on_heard(kGivenStage, wire::WorkerHello{});
  give(3);
  give(4);
  checker_.on_broker_life();
  give(1);
  give(2);
  checker_.on_stage_crashed(kGivenStage);
  give(3);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(LinkCheckerTest, EachSinkMaySettleASlotOnce) {
  seal();
  settle(0, wire::Source::single, 7, 60ms);
  wire::SlotSettled again;
  again.batch = kBatch;
  again.source = wire::Source::single;
  again.verdict.predictions = {{{7}, 1}};
  checker_.on_settled(kOtherSink, again, at(70ms));
  EXPECT_THAT(found(), IsEmpty());
  checker_.on_sink_life(kSettlingSink);
  checker_.on_settled(kOtherSink, again, at(80ms));
  EXPECT_THAT(found(), ElementsAre("the sink settles batch 4 slot 0 twice"));
}

}  // namespace
}  // namespace replay::sim
