#include "stages/collage/assembler.h"

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
using wire::Reason;
using wire::Sequence;

constexpr std::uint32_t kBroker = Assembler::kBroker;
constexpr std::uint32_t kCollage = Assembler::kCollage;
constexpr std::uint32_t kSink = Assembler::kSink;
constexpr machine::Peer kFromBroker{kBroker, 0}, kCnn{kCollage, 1}, kOtherCnn{kCollage, 2};
constexpr wire::Epoch kOwn{5};
const wire::Model kModel{11, 2, {}};

class AssemblerTest : public testing::Test {
 protected:
  AssemblerTest() : AssemblerTest({.membership = {100ms, 1s}, .heartbeat = 100ms}) {}
  explicit AssemblerTest(const Assembler::Policy& policy)
      : assembler({{1, 1}, wire::Role::assembler, kModel, 2}, kOwn, policy) {
    (void)hello(kCnn);
    (void)assembler.on_timeout(now);
    (void)welcome(kEpoch);
    (void)assembler.on_timeout(now);
  }
  machine::Actions tell(machine::Peer from, wire::Message message) {
    auto actions = assembler.on_message(from, std::move(message), now);
    if (actions.work) work = actions.work;
    return actions;
  }
  machine::Actions hello(machine::Peer from, wire::Model model = kModel,
                         wire::Role role = wire::Role::collage) {
    return tell(from, wire::WorkerHello{{2, from.id}, role, model, 1});
  }
  machine::Actions welcome(wire::Epoch epoch) {
    return tell(kFromBroker, wire::Welcome{epoch, 100ms, 0, 0, 1s});
  }
  // The broker's sequence of a batch is its number.
  machine::Actions assign(std::uint64_t number, wire::Slot slot, wire::Epoch epoch = kEpoch,
                          wire::Duration remaining = 1s) {
    wire::Assign message;
    message.sequence = {number};
    message.batch = batch(number, epoch);
    message.slot = slot;
    message.remaining = remaining;
    message.image = image;
    return tell(kFromBroker, message);
  }
  machine::Actions seal(std::uint64_t number, wire::Slot filled) {
    return tell(kFromBroker, wire::SealCollage{batch(number), filled});
  }
  machine::Actions drop(std::uint64_t number) {
    return tell(kFromBroker, wire::DropCollage{batch(number)});
  }
  // The paste under way is done; the canvas that comes back is the one handed out, or a fresh one.
  machine::Actions pasted(Reason reason = Reason::none, bool failed = false) {
    auto& paste = std::get<machine::Paste>(work->job);
    wire::Payload canvas =
        paste.canvas.empty() ? wire::Payload(wire::Payload::Bytes(12)) : std::move(paste.canvas);
    canvas_data = canvas.bytes().data();
    const wire::WorkId id = work->id;
    work.reset();
    auto actions =
        assembler.on_done(id, {machine::Pasted{std::move(canvas), reason, failed}, 1ms, {}}, now);
    if (actions.work) work = actions.work;
    return actions;
  }
  // Sends a batch of one image all the way to the collage-CNN.
  machine::Actions send_whole(std::uint64_t number) {
    assign(number, 0);
    seal(number, 1);
    return pasted();
  }
  machine::Actions node_ready(std::uint64_t seen, std::vector<Sequence> held = {}) {
    return tell(kCnn, wire::Ready{{seen}, std::move(held), false});
  }

  wire::Payload image{wire::Payload::Bytes(10)};
  const std::uint8_t* canvas_data = nullptr;
  wire::Instant now;
  std::optional<machine::Work> work;
  Assembler assembler;
};

// Two by two pixels of three bytes, as pasted() makes them.
class ShowingAssemblerTest : public AssemblerTest {
 protected:
  ShowingAssemblerTest()
      : AssemblerTest(
            {.membership = {100ms, 1s}, .heartbeat = 100ms, .shown = PictureForm{2, 2, 3, 1000}}) {}
};

TEST_F(ShowingAssemblerTest, ShowsTheSinkACollageOfAFullBatchAndSharesItsPixels) {
  for (wire::Slot slot = 0; slot < 4; ++slot) {
    assign(1, slot);
    pasted();
  }
  const auto actions = seal(1, 4);
  const auto shown = heard<wire::CollagePicture>(actions, kSink);
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_EQ(shown[0].batch, batch(1));
  EXPECT_EQ(shown[0].picture.bytes().data(), canvas_data);
  EXPECT_THAT(heard<wire::CollageTask>(actions, kCollage), SizeIs(1));
}

TEST_F(ShowingAssemblerTest, ShowsNoBatchWithABlankSlot) {
  EXPECT_THAT(heard<wire::CollagePicture>(send_whole(1), kSink), IsEmpty());
}

TEST_F(AssemblerTest, ShowsNothingUnlessItIsAskedTo) {
  for (wire::Slot slot = 0; slot < 4; ++slot) {
    assign(1, slot);
    pasted();
  }
  EXPECT_THAT(heard<wire::CollagePicture>(seal(1, 4), kSink), IsEmpty());
}

// The broker may have lost the assembler for a while, or given the batch to another first.
TEST_F(AssemblerTest, ABatchThatComesAgainWhileAPasteOfItsFirstTimeIsUnderWayGetsItsOwn) {
  assign(1, 0);
  drop(1);
  wire::Assign again;
  again.sequence = {2};
  again.batch = batch(1);
  again.slot = 1;
  again.remaining = 1s;
  again.image = image;
  tell(kFromBroker, again);
  seal(1, 1);
  EXPECT_THAT(heard<wire::CollageTask>(pasted(), kCollage), IsEmpty());
  const auto tasks = heard<wire::CollageTask>(pasted(), kCollage);
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_THAT(tasks[0].blank, ElementsAre(true, false, true, true));
}

TEST_F(AssemblerTest, SaysNothingToTheBrokerUntilItsCollageCnnIsThere) {
  Assembler alone({{1, 1}, wire::Role::assembler, kModel, 2}, kOwn, {{100ms, 1s}, 100ms});
  EXPECT_EQ(alone.next_timeout(), std::nullopt);
  EXPECT_THAT(alone.on_timeout(at(0ms)).messages, IsEmpty());
  const auto actions =
      alone.on_message(kCnn, wire::WorkerHello{{2, 1}, wire::Role::collage, kModel, 1}, at(10ms));
  EXPECT_EQ(heard<wire::Welcome>(actions, kCollage)[0].epoch, kOwn);
  EXPECT_THAT(heard<wire::WorkerHello>(alone.on_timeout(at(10ms)), kBroker), SizeIs(1));
}

TEST_F(AssemblerTest, ACollageCnnOfAnotherModelGridOrRoleIsRefused) {
  for (const machine::Actions& actions :
       {hello(kOtherCnn, {12, 2, {}}), hello(kOtherCnn, {11, 3, {}}),
        hello(kOtherCnn, kModel, wire::Role::classifier)}) {
    EXPECT_EQ(heard<wire::Refuse>(actions, kCollage)[0].reason, Reason::wrong_model);
  }
  EXPECT_EQ(assembler.counters().refused, 3u);
}

TEST_F(AssemblerTest, EachImageIsPastedAsItArrivesOntoTheSameCanvas) {
  EXPECT_TRUE(assign(1, 0).work);
  EXPECT_TRUE(std::get<machine::Paste>(work->job).canvas.empty());
  EXPECT_EQ(std::get<machine::Paste>(work->job).image.bytes().data(), image.bytes().data());
  EXPECT_FALSE(assign(1, 1).work);  // One at a time.
  EXPECT_TRUE(pasted().work);
  EXPECT_EQ(std::get<machine::Paste>(work->job).canvas.bytes().data(), canvas_data);
  EXPECT_EQ(std::get<machine::Paste>(work->job).slot, 1);
}

TEST_F(AssemblerTest, ASealedBatchGoesToTheCollageCnnWhenItsLastImageIsPasted) {
  assign(1, 0);
  assign(1, 1);
  pasted();
  now = at(30ms);
  EXPECT_THAT(heard<wire::CollageTask>(seal(1, 2), kCollage), IsEmpty());
  const auto tasks = heard<wire::CollageTask>(pasted(), kCollage);
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_EQ(tasks[0].epoch, kOwn);
  EXPECT_EQ(tasks[0].sequence, Sequence{1});
  EXPECT_EQ(tasks[0].batch, batch(1));
  EXPECT_EQ(tasks[0].age, 30ms);
  EXPECT_THAT(tasks[0].blank, ElementsAre(false, false, true, true));
  EXPECT_EQ(tasks[0].picture.bytes().data(), canvas_data);
  EXPECT_EQ(assembler.counters().collages, 1u);
}

TEST_F(AssemblerTest, ABatchThatIsNotSealedIsNotHandedOut) {
  assign(1, 0);
  EXPECT_THAT(heard<wire::CollageTask>(pasted(), kCollage), IsEmpty());
  EXPECT_THAT(heard<wire::CollageTask>(seal(1, 1), kCollage), SizeIs(1));
}

TEST_F(AssemblerTest, AnImageThatCannotBePastedIsAnsweredAndItsSlotIsBlank) {
  assign(1, 0);
  assign(1, 1);
  seal(1, 2);
  now = at(20ms);
  const auto answers = heard<wire::Answer>(pasted(Reason::not_an_image), kSink);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].slot, 0);
  EXPECT_EQ(answers[0].verdict.reason, Reason::not_an_image);
  EXPECT_EQ(answers[0].age, 20ms);
  EXPECT_EQ(assembler.counters().rejected, 1u);
  EXPECT_THAT(heard<wire::CollageTask>(pasted(), kCollage)[0].blank,
              ElementsAre(true, false, true, true));
}

TEST_F(AssemblerTest, AnImageThatThereIsNoMemoryForIsBlankButNotRejected) {
  assign(1, 0);
  pasted();
  assign(1, 1);
  const auto failed = pasted(Reason::none, true);
  EXPECT_THAT(heard<wire::Answer>(failed, kSink), IsEmpty());
  const auto tasks = heard<wire::CollageTask>(seal(1, 2), kCollage);
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_EQ(tasks[0].blank, (std::vector<bool>{false, true, true, true}));
  EXPECT_EQ(assembler.counters().failed, 1u);
}

// The collage would answer for images that are not in it any more.
TEST_F(AssemblerTest, WithItsCanvasABatchLosesItsImages) {
  assign(1, 0);
  pasted();
  assign(1, 1);
  (void)assembler.on_done(work->id, {machine::Pasted{{}, Reason::none, true}, 1ms, {}}, now);
  EXPECT_THAT(heard<wire::CollageTask>(seal(1, 2), kCollage), IsEmpty());
}

TEST_F(AssemblerTest, ABatchOfNothingButBlanksNeedsNoCollage) {
  assign(1, 0);
  seal(1, 1);
  const auto actions = pasted(Reason::not_an_image);
  EXPECT_THAT(heard<wire::CollageTask>(actions, kCollage), IsEmpty());
  EXPECT_THAT(heard<wire::Ready>(actions, kBroker)[0].held, IsEmpty());
}

TEST_F(AssemblerTest, CreditGoesBackToTheBrokerWhenTheCollageCnnIsDone) {
  EXPECT_THAT(heard<wire::Ready>(send_whole(1), kBroker), IsEmpty());
  EXPECT_THAT(heard<wire::Ready>(node_ready(1, {{1}}), kBroker), IsEmpty());
  const auto ready = heard<wire::Ready>(node_ready(1), kBroker);
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].seen, Sequence{1});
  EXPECT_THAT(ready[0].held, IsEmpty());
}

TEST_F(AssemblerTest, CollagesWaitForTheCollageCnnsCredit) {
  EXPECT_THAT(heard<wire::CollageTask>(send_whole(1), kCollage), SizeIs(1));
  EXPECT_THAT(heard<wire::CollageTask>(send_whole(2), kCollage), IsEmpty());
  EXPECT_THAT(heard<wire::CollageTask>(node_ready(1), kCollage), SizeIs(1));
}

TEST_F(AssemblerTest, RepeatedLateAndMisplacedImagesAreCountedAndDropped) {
  assign(1, 0);
  assign(1, 0);
  assign(1, 4);
  EXPECT_EQ(assembler.counters().repeated, 2u);
  seal(1, 1);
  assign(1, 1);
  EXPECT_EQ(assembler.counters().late, 1u);
  pasted();
  assign(1, 2);  // The batch is gone.
  EXPECT_EQ(assembler.counters().repeated, 3u);
  EXPECT_FALSE(work);
}

TEST_F(AssemblerTest, BatchesBeyondTwiceTheCreditAreDropped) {
  for (std::uint64_t number = 1; number <= 5; ++number) assign(number, 0);
  EXPECT_EQ(assembler.counters().over_credit, 1u);
}

TEST_F(AssemblerTest, ABatchThatIsAnsweredIsDroppedWhereverItIs) {
  send_whole(1);  // With the collage-CNN.
  send_whole(2);  // Finished, waiting for credit.
  assign(3, 0);   // Being pasted.
  assign(3, 1);   // Waiting to be.
  EXPECT_EQ(heard<wire::DropCollage>(drop(1), kCollage)[0].batch, batch(1));
  EXPECT_EQ(assembler.counters().dropped, 0u);  // The collage-CNN's to count.
  EXPECT_THAT(heard<wire::Ready>(drop(2), kBroker), SizeIs(1));
  EXPECT_THAT(heard<wire::Ready>(drop(3), kBroker), SizeIs(1));
  EXPECT_EQ(assembler.counters().dropped, 2u);
  const auto actions = pasted();  // The paste comes back to nobody.
  EXPECT_FALSE(actions.work);
  EXPECT_THAT(actions.messages, IsEmpty());
  EXPECT_THAT(heard<wire::CollageTask>(node_ready(1), kCollage), IsEmpty());
}

TEST_F(AssemblerTest, ALostCollageCnnTakesItsBatchesAlongAndTheBrokerLearnsOfIt) {
  send_whole(1);
  const auto actions = tell(kCnn, wire::Undelivered{});
  EXPECT_EQ(assembler.counters().lost, 1u);
  EXPECT_THAT(actions.logs, SizeIs(1));
  const auto ready = heard<wire::Ready>(actions, kBroker);
  ASSERT_FALSE(ready.empty());
  EXPECT_TRUE(ready.back().leaving);
  EXPECT_THAT(ready.back().held, IsEmpty());
  EXPECT_EQ(assembler.next_timeout(), std::nullopt);
}

TEST_F(AssemblerTest, ACollageCnnThatIsBackIsGivenWhatWaits) {
  tell(kCnn, wire::Undelivered{});
  EXPECT_THAT(heard<wire::CollageTask>(send_whole(1), kCollage), IsEmpty());
  const auto actions = hello(kOtherCnn);
  EXPECT_FALSE(heard<wire::Ready>(actions, kBroker)[0].leaving);
  EXPECT_THAT(heard<wire::CollageTask>(actions, kCollage), SizeIs(1));
}

TEST_F(AssemblerTest, ACollageCnnOnANewConnectionLosesWhatItHad) {
  send_whole(1);
  (void)hello(kOtherCnn);
  EXPECT_EQ(assembler.counters().lost, 1u);
  EXPECT_EQ(heard<wire::Refuse>(node_ready(1), kCollage)[0].reason, Reason::unknown_worker);
}

TEST_F(AssemblerTest, ASilentIdleCollageCnnIsLost) {
  EXPECT_LE(assembler.next_timeout(), at(350ms));
  EXPECT_THAT(assembler.on_timeout(at(349ms)).logs, IsEmpty());
  EXPECT_THAT(assembler.on_timeout(at(350ms)).logs, SizeIs(1));
}

// What it sent meanwhile has yet to be read.
TEST_F(AssemblerTest, AfterAPauseOfOurOwnAnIdleCollageCnnIsGivenAHeartbeatOnce) {
  EXPECT_THAT(assembler.on_timeout(at(3s)).logs, IsEmpty());
  EXPECT_THAT(assembler.on_timeout(at(3099ms)).logs, IsEmpty());
  EXPECT_THAT(assembler.on_timeout(at(9s)).logs, SizeIs(1));
}

TEST_F(AssemblerTest, ACollageCnnThatLeavesCoversNothingMore) {
  const auto leaving = tell(kCnn, wire::Ready{{0}, {}, true});
  EXPECT_TRUE(heard<wire::Ready>(leaving, kBroker)[0].leaving);
}

TEST_F(AssemblerTest, ABatchWhoseEndIsNeverAnnouncedExpiresWithItsDeadline) {
  send_whole(1);
  assign(2, 0);
  const auto before = heard<wire::Ready>(assembler.on_timeout(at(999ms)), kBroker);
  EXPECT_THAT(before.back().held, SizeIs(2));
  (void)assembler.on_timeout(at(1s));
  EXPECT_EQ(assembler.counters().expired, 0u);
  const auto all = heard<wire::Ready>(assembler.on_timeout(at(1001ms)), kBroker);
  EXPECT_THAT(all.back().held, IsEmpty());
  EXPECT_EQ(assembler.counters().expired, 2u);
  EXPECT_EQ(assembler.counters().dropped, 0u);
}

TEST_F(AssemblerTest, ABatchExpiresWithTheLastDeadlineOfItsImages) {
  assign(1, 0, kEpoch, 300ms);
  assign(1, 1, kEpoch, 200ms);
  seal(1, 2);
  (void)pasted();
  now = at(299ms);
  const auto actions = pasted();
  const auto tasks = heard<wire::CollageTask>(actions, kCollage);
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_EQ(tasks[0].remaining, 1ms);
  EXPECT_EQ(assembler.counters().expired, 0u);
}

TEST_F(AssemblerTest, AnImageWhoseTimeIsOverDoesNotEndABatchThatIsStillOpen) {
  assign(1, 0, kEpoch, 10ms);
  now = at(12ms);
  (void)pasted();
  EXPECT_TRUE(assign(1, 1).work);
  seal(1, 2);
  const auto tasks = heard<wire::CollageTask>(pasted(), kCollage);
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_FALSE(tasks[0].blank[1]);
}

TEST_F(AssemblerTest, ACollageWhoseTimeIsOverIsNotHandedOut) {
  send_whole(1);
  assign(2, 0, kEpoch, 300ms);
  seal(2, 1);
  (void)pasted();
  now = at(300ms);
  const auto actions = node_ready(1);
  EXPECT_THAT(heard<wire::CollageTask>(actions, kCollage), IsEmpty());
  EXPECT_THAT(heard<wire::Ready>(actions, kBroker).back().held, IsEmpty());
  EXPECT_EQ(assembler.counters().expired, 1u);
}

TEST_F(AssemblerTest, AnImageOfABatchWhoseTimeIsOverIsNotPasted) {
  assign(1, 0);
  assign(2, 0, kEpoch, 300ms);
  seal(2, 1);
  now = at(300ms);
  EXPECT_FALSE(pasted().work);
  EXPECT_EQ(assembler.counters().expired, 1u);
  EXPECT_EQ(
      figure(assembler.telemetry(), "collage_batches_given_up_total", {{"reason", "expired"}}), 1);
}

TEST_F(AssemblerTest, ABrokerThatHasRestartedVoidsAllThatWasOpen) {
  send_whole(1);
  send_whole(2);
  assign(3, 0);
  (void)welcome(kOtherEpoch);
  EXPECT_EQ(assembler.counters().expired, 2u);
  (void)pasted();
  EXPECT_TRUE(assign(1, 0, kOtherEpoch).work);
  const auto ready = heard<wire::Ready>(node_ready(1), kBroker);  // The old batch 1.
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_THAT(ready[0].held, ElementsAre(Sequence{1}));  // The new batch 1.
}

TEST_F(AssemblerTest, TasksOfABrokerThatWeHaveNotJoinedAreDropped) {
  EXPECT_FALSE(assign(1, 0, kOtherEpoch).work);
  EXPECT_EQ(assembler.counters().repeated, 1u);
}

TEST_F(AssemblerTest, ADrainingAssemblerFinishesWithItsLastBatch) {
  send_whole(1);
  const auto leaving = tell(machine::kLocal, wire::Drain{});
  EXPECT_TRUE(heard<wire::Ready>(leaving, kBroker)[0].leaving);
  EXPECT_FALSE(leaving.finished);
  EXPECT_TRUE(node_ready(1).finished);
}

TEST_F(AssemblerTest, ADrainingAssemblerFinishesWhenItsLastBatchExpires) {
  send_whole(1);
  (void)tell(machine::kLocal, wire::Drain{});
  EXPECT_TRUE(assembler.on_timeout(at(1001ms)).finished);
}

TEST_F(AssemblerTest, ACollageCnnOfAnotherVersionIsRefused) {
  const machine::Actions actions = tell(kCnn, wire::Undecodable{Reason::wrong_protocol});
  ASSERT_THAT(actions.messages, SizeIs(1));
  EXPECT_EQ(std::get<wire::Refuse>(actions.messages[0].message).reason, Reason::wrong_protocol);
}

TEST_F(AssemblerTest, WhatCannotBeSentOrReadIsCounted) {
  (void)tell(kFromBroker, wire::Undelivered{});
  (void)tell({kSink, 0}, wire::Undelivered{});
  EXPECT_EQ(assembler.counters().undelivered, 2u);
  (void)tell(kFromBroker, wire::Undecodable{});
  (void)tell(kCnn, wire::Undecodable{});
  (void)tell({kSink, 0}, wire::StatusRequest{});
  EXPECT_EQ(assembler.counters().bad_messages, 3u);
  EXPECT_THAT(tell(kFromBroker, wire::Refuse{Reason::wrong_grid}).logs, SizeIs(1));
}

TEST_F(AssemblerTest, IsNotReadyWithoutItsCollageCnn) {
  Assembler alone({{1, 1}, wire::Role::assembler, kModel, 2}, kOwn, {{100ms, 1s}, 100ms});
  EXPECT_THAT(alone.telemetry().not_ready_reasons, testing::Contains("no collage-CNN has joined"));
  EXPECT_THAT(assembler.telemetry().not_ready_reasons, IsEmpty());
}

TEST_F(AssemblerTest, ReportsCollagesAndHowLongTheyTook) {
  send_whole(1);
  assign(2, 0);
  drop(2);
  const machine::Telemetry report = assembler.telemetry();
  EXPECT_EQ(figure(report, "collage_collages_total"), 1);
  EXPECT_EQ(figure(report, "collage_assembly_duration_seconds"), 1);
  EXPECT_EQ(figure(report, "collage_batches_given_up_total", {{"reason", "not_wanted"}}), 1);
}

// Dashboards, alerts and observers look figures up by these names.
TEST_F(AssemblerTest, NoFigureChangesItsName) {
  EXPECT_EQ(names(assembler.telemetry()), R"(
counter collage_batches_given_up_total reason=expired
counter collage_batches_given_up_total reason=lost
counter collage_batches_given_up_total reason=not_wanted
counter collage_collages_total
counter collage_dropped_total reason=bad_message
counter collage_dropped_total reason=failed
counter collage_dropped_total reason=late
counter collage_dropped_total reason=over_credit
counter collage_dropped_total reason=refused
counter collage_dropped_total reason=rejected
counter collage_dropped_total reason=repeated
counter collage_dropped_total reason=undelivered
gauge collage_batches_open
gauge collage_joined
gauge collage_model_info version=
gauge collage_tasks_held
histogram collage_assembly_duration_seconds
)");
}

}  // namespace
}  // namespace stages::collage
