#include "producer/push/pusher.h"

#include "tests/producer/push/pusher_fixture.h"

namespace producer {
namespace {

TEST_F(PusherTest, InOrderResultsAreReportedAsTheSourceGaveThem) {
  in_order = true;
  make(0);
  images(3);
  welcome(4);
  answer(3);
  answer(2);
  EXPECT_THAT(lines(), IsEmpty());
  answer(1);
  EXPECT_THAT(lines(), ElementsAre("f1", "f2", "f3"));
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, InOrderWhatCannotBeReadTakesItsTurnToo) {
  in_order = true;
  make(0);
  images(2);
  items.insert(items.begin() + 1, {.kind = Item::Kind::unreadable, .file = "bad", .error = "gone"});
  items.push_back({.kind = Item::Kind::unreadable, .file = "worse", .error = "gone"});
  welcome(4);
  answer(2);
  EXPECT_THAT(lines(), IsEmpty());
  answer(1);
  EXPECT_THAT(lines(), ElementsAre("f1", "bad", "f2", "worse"));
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, InOrderOnlySoManyUnreadableFilesWait) {
  in_order = true;
  make(0);
  images(1);
  for (int i = 0; i < 3000; ++i) items.push_back({.kind = Item::Kind::unreadable, .file = "bad"});
  welcome(4);
  advance(500ms);
  EXPECT_LT(asked, 1100);
  answer(1);
  advance(900ms);
  EXPECT_EQ(lines().size(), 3001u);
}

TEST_F(PusherTest, ImagesHaveThePriorityOfThePush) {
  priority = wire::Priority::low;
  make(0);
  images(1);
  welcome(4);
  EXPECT_EQ(last_submit.priority, wire::Priority::low);
  EXPECT_EQ(last_submit.latest, 0u);
}

TEST_F(PusherTest, WithLatestAnImageSupersedesThoseThatWait) {
  latest = true;
  make(10);
  images(4);
  welcome(1);
  advance(300ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_NE(last_submit.latest, 0u);
  EXPECT_THAT(lines(), ElementsAre("f2", "f3"));
  EXPECT_EQ(last.result.status, wire::ResultStatus::superseded);
  EXPECT_EQ(pusher->tally().superseded, 2u);
  answer(1);
  EXPECT_THAT(sent(), ElementsAre(4));
  answer(4);
  EXPECT_THAT(lines(), ElementsAre("f1", "f4"));
  EXPECT_EQ(pusher->tally().brownout, 0u);
  advance(400ms);
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, CountsAnswersInABrownout) {
  make(0);
  images(1);
  welcome(4);
  wire::Result result;
  result.request = {1};
  result.status = wire::ResultStatus::answered;
  result.source = wire::Source::collage;
  result.brownout = true;
  say(result);
  EXPECT_EQ(pusher->tally().collage, 1u);
  EXPECT_EQ(pusher->tally().brownout, 1u);
}

TEST_F(PusherTest, ACorrectionIsALineMore) {
  corrections = true;
  make(0);
  images(2);
  welcome(4);
  answer(1, wire::Source::collage);
  answer(2);
  EXPECT_THAT(lines(), ElementsAre("f1", "f2"));
  EXPECT_FALSE(finished);
  correct(1);
  EXPECT_THAT(lines(), ElementsAre("f1"));
  EXPECT_EQ(last.kind, Line::Kind::corrected);
  EXPECT_EQ(last.result.predictions.at(0).name, "cat");
  EXPECT_EQ(last.result.source, wire::Source::single);
  EXPECT_EQ(pusher->tally().corrected, 1u);
  EXPECT_EQ(pusher->tally().reported, 2u);
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, ItWaitsForCorrectionsOnlyAsLongAsTheyMayCome) {
  corrections = true;
  make(0);
  images(1);
  welcome(4);
  answer(1, wire::Source::collage);
  advance(2499ms);
  EXPECT_FALSE(finished);
  advance(2500ms);
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, WithoutARateImagesGoAsCreditAllows) {
  make(0);
  images(4);
  welcome(2);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_EQ(asked, 2);  // The others have not been read yet.
  answer(2);
  EXPECT_THAT(sent(), ElementsAre(3));
  EXPECT_THAT(lines(), ElementsAre("f2"));
}

TEST_F(PusherTest, ItFinishesWhenAllIsReported) {
  make(0);
  images(2);
  welcome(4);
  answer(1, wire::Source::collage);
  EXPECT_FALSE(finished);
  answer(2, wire::Source::hedge);
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->tally().answered, 2u);
  EXPECT_EQ(pusher->tally().collage, 1u);
  EXPECT_EQ(pusher->tally().hedge, 1u);
  EXPECT_EQ(pusher->tally().taken, 2u);
  EXPECT_EQ(pusher->tally().reported, 2u);
}

TEST_F(PusherTest, AnEmptySourceFinishesAtOnce) {
  make(0);
  welcome(4);
  EXPECT_TRUE(finished);
  EXPECT_TRUE(pusher->reached());
}

TEST_F(PusherTest, AtARateImagesGoWhenTheyAreDueWhateverIsAnswered) {
  make(10);
  images(3);
  welcome(100);
  EXPECT_THAT(sent(), ElementsAre(1));
  advance(99ms);
  EXPECT_THAT(sent(), IsEmpty());
  advance(100ms);
  EXPECT_THAT(sent(), ElementsAre(2));
  advance(200ms);
  EXPECT_THAT(sent(), ElementsAre(3));
}

TEST_F(PusherTest, LatencyCountsFromWhenTheImageWasDue) {
  make(10, 1);
  images(2);
  welcome(100);
  advance(400ms);  // The second is due at 100 ms, but the client holds one at most.
  answer(1);
  EXPECT_THAT(lines(), ElementsAre("f1"));
  EXPECT_EQ(last.latency, 400ms);
  advance(450ms);
  answer(2);
  EXPECT_THAT(lines(), ElementsAre("f2"));
  EXPECT_EQ(last.latency, 350ms);
}

// Reading takes time that `now` does not show.
TEST_F(PusherTest, FilesAreReadAndImagesSubmittedAtDifferentInstants) {
  make(0);
  images(16);
  welcome(40);
  EXPECT_EQ(sent().size(), 16u);
  EXPECT_LT(read_at, submitted_at);
  EXPECT_EQ(pusher->tally().taken, 16u);
}

TEST_F(PusherTest, OnlySoMuchIsReadAhead) {
  make(1000, 5000, 10s);
  for (int i = 0; i < 3000; ++i) {
    items.push_back({.kind = Item::Kind::image,
                     .file = "f",
                     .image = wire::Payload(wire::Payload::Bytes(i < 500 ? 1 : 1 << 19))});
  }
  welcome(5000);
  EXPECT_LE(asked, 1 + 32);
  advance(600ms);
  // The client refuses the large ones at once.
  EXPECT_GT(lines().size(), 50u);
  EXPECT_LE(pusher->tally().taken - sent().size() - pusher->tally().refused, 2u)
      << "a mebibyte is in memory at most";
}

TEST_F(PusherTest, AtARateTheDeadlineCountsFromWhenTheImageWasDue) {
  image_deadline = 1s;
  make(10, 1, 9s);
  images(3);
  welcome(100);
  EXPECT_EQ(last_submit.remaining, 1s - (submitted_at - Instant{}));
  advance(400ms);  // The second is due at 100 ms, but the client holds one at most.
  answer(1);
  EXPECT_EQ(last_submit.request.value, 2u);
  EXPECT_EQ(last_submit.remaining, 700ms);
}

TEST_F(PusherTest, AnImageWhoseDeadlineIsOverBeforeThereIsRoomIsMissing) {
  image_deadline = 1s;
  make(10, 1, 9s);
  images(2);
  welcome(100);
  advance(1499ms);
  EXPECT_THAT(lines(), IsEmpty());
  advance(1600ms);  // The first is given up, and the second was due at 100 ms.
  EXPECT_THAT(lines(), ElementsAre("f1", "f2"));
  EXPECT_EQ(last.result.status, wire::ResultStatus::missing);
  EXPECT_EQ(last.result.reason, wire::Reason::no_credit);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, ADeadlineThatThePipelineDoesNotGrantIsSaid) {
  image_deadline = 20s;
  make(0);
  welcome(1);
  EXPECT_THAT(logs, ElementsAre(testing::HasSubstr("10000 ms at most")));
  logs.clear();
  image_deadline = 10s;
  make(0);
  finished = false;
  welcome(1);
  EXPECT_THAT(logs, IsEmpty());
}

TEST_F(PusherTest, WhatHasNoAnswerIsCountedByItsCause) {
  make(0);
  images(2);
  items.push_back({.kind = Item::Kind::unreadable, .file = "bad", .error = "gone"});
  items.push_back({.kind = Item::Kind::too_large, .file = "big"});
  welcome(4);
  answer(1);
  advance(1500ms);
  EXPECT_THAT(pusher->tally().causes, ElementsAre(testing::Pair("missing (no_broker)", 1),
                                                  testing::Pair("refused (image_too_large)", 1),
                                                  testing::Pair("unreadable (gone)", 1)));
  EXPECT_EQ(pusher->tally().latencies.count(), 1u);
}

TEST_F(PusherTest, UnreadableAndLargeFilesAreReportedAndTheOthersGoOn) {
  make(0);
  items.push_back({.kind = Item::Kind::unreadable, .file = "bad", .error = "gone"});
  items.push_back({.kind = Item::Kind::too_large, .file = "big"});
  images(1);
  welcome(1);
  EXPECT_THAT(lines(), ElementsAre("bad", "big"));
  EXPECT_EQ(last.result.reason, wire::Reason::image_too_large);
  EXPECT_THAT(sent(), ElementsAre(1));
  answer(1);
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->tally().unreadable, 1u);
  EXPECT_EQ(pusher->tally().refused, 1u);
  EXPECT_EQ(pusher->tally().answered, 1u);
}

TEST_F(PusherTest, ASourceThatHasNothingYetIsAskedAgain) {
  make(0);
  items.push_back({.kind = Item::Kind::later});
  images(1);
  welcome(1);
  EXPECT_THAT(sent(), IsEmpty());
  advance(10ms);
  EXPECT_THAT(sent(), ElementsAre(1));
}

TEST_F(PusherTest, ManyUnreadableFilesDoNotHoldUpATurn) {
  make(0);
  for (int i = 0; i < 1000; ++i) items.push_back({.kind = Item::Kind::unreadable, .file = "x"});
  take(pusher->on_message(
      {}, wire::Welcome{.epoch = {}, .heartbeat = 10s, .credit = 1, .image_bytes_max = 100}, now));
  EXPECT_LE(asked, 32);
  advance(0ms);
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->tally().unreadable, 1000u);
}

TEST_F(PusherTest, ABrokerThatIsNotReachedInTimeEndsIt) {
  make(0);
  images(1);
  advance(2999ms);
  EXPECT_FALSE(finished);
  advance(3s);
  EXPECT_TRUE(finished);
  EXPECT_FALSE(pusher->reached());
  EXPECT_EQ(asked, 0);
}

TEST_F(PusherTest, ABrokerOfAnotherProtocolEndsItAtOnce) {
  make(0);
  images(1);
  advance(0ms);
  say(wire::Refuse{.reason = wire::Reason::wrong_protocol});
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->refusal(), wire::Reason::wrong_protocol);
}

TEST_F(PusherTest, ADrainReadsNothingMoreAndWaitsForWhatIsOpen) {
  make(0);
  images(5);
  welcome(2);
  say(wire::Drain{});
  answer(1);
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(finished);
  answer(2);
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, WhatIsStillOpenAtTheEndOfADrainIsReportedAsInterrupted) {
  make(2, 1, 10s);
  images(3);
  welcome(2);
  advance(500ms);  // The second is due and held.
  say(wire::Drain{});
  EXPECT_THAT(lines(), ElementsAre("f2"));
  EXPECT_EQ(last.kind, Line::Kind::interrupted);
  advance(2499ms);
  EXPECT_FALSE(finished);
  advance(2500ms);
  EXPECT_TRUE(finished);
  EXPECT_THAT(lines(), ElementsAre("f1"));
  EXPECT_EQ(last.kind, Line::Kind::interrupted);
  EXPECT_EQ(pusher->tally().interrupted, 2u);
  EXPECT_EQ(pusher->tally().taken, pusher->tally().reported);
  EXPECT_TRUE(pusher->stopped());
}

TEST_F(PusherTest, AnAnswerAfterTheEndIsNotReportedTwice) {
  make(0, 100, 10s);
  images(1);
  welcome(1);
  say(wire::Drain{});
  advance(2s);
  EXPECT_THAT(lines(), ElementsAre("f1"));
  answer(1);
  EXPECT_THAT(lines(), IsEmpty());
  EXPECT_EQ(pusher->tally().reported, 1u);
}

TEST_F(PusherTest, MissingImagesAreCounted) {
  make(0);
  images(1);
  welcome(1);
  advance(1500ms);
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->tally().missing, 1u);
  EXPECT_THAT(lines(), ElementsAre("f1"));
}

}  // namespace
}  // namespace producer
