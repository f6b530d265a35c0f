// Restarts of the broker, lost messages, refusals and draining.
#include "tests/producer/client_fixture.h"

namespace producer {
namespace {

// --- restarts and losses ---

TEST_F(ClientTest, AnotherEpochHasEverythingUnansweredSentAgain) {
  join(3);
  submit(1);
  submit(2);
  submit(3);
  submit(4);
  say(result(2));
  EXPECT_THAT(sent(), ElementsAre(1, 2, 3, 4));
  welcome(3, kOtherEpoch);
  EXPECT_THAT(sent(), ElementsAre(1, 3, 4));
  EXPECT_EQ(counters().rejoined, 1u);
  EXPECT_EQ(counters().resubmitted, 3u);
  EXPECT_THAT(notes, ElementsAre("the broker has restarted: unanswered images, sent again: 3"));
}

TEST_F(ClientTest, AWelcomeOfTheSameEpochRepeatsNothing) {
  join();
  submit(1);
  sent();
  welcome();
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(counters().rejoined, 0u);
}

TEST_F(ClientTest, ABrokerThatForgotUsIsGreetedAndGetsEverythingAgain) {
  join();
  advance(200ms);
  submit(1);
  submit(2);
  sent();
  refuse(1, Reason::unknown_producer);
  EXPECT_EQ(hellos(), 1);
  EXPECT_THAT(sent(), IsEmpty());
  refuse(2, Reason::unknown_producer);
  EXPECT_EQ(hellos(), 0);
  welcome();
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_THAT(delivered(), IsEmpty());
}

TEST_F(ClientTest, ABrokerThatForgetsUsAgainAndAgainIsNotGreetedWithoutEnd) {
  join();
  submit(1);
  for (int i = 0; i < 5; ++i) {
    refuse(1, Reason::unknown_producer);
    welcome();
  }
  EXPECT_EQ(hellos(), 0);
}

TEST_F(ClientTest, ARefuseEndsTheConversationUntilTheNextWelcome) {
  join();
  submit(1);
  sent();
  advance(300ms);
  say(wire::Refuse{.reason = Reason::too_many_peers});
  EXPECT_FALSE(client->joined());
  EXPECT_EQ(client->refusal(), Reason::too_many_peers);
  EXPECT_EQ(counters().refusals, 1u);
  EXPECT_EQ(hellos(), 1);
  submit(2);
  EXPECT_THAT(sent(), IsEmpty());
  welcome();
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_EQ(client->refusal(), Reason::none);
  EXPECT_THAT(notes, ElementsAre("the broker refuses us: too_many_peers",
                                 "the broker is back: unanswered images, sent again: 2"));
}

TEST_F(ClientTest, ASilentBrokerGetsNothingNewAndEverythingAgainOnceItSpeaks) {
  join();
  submit(1, 5s);
  sent();
  advance(1699ms);  // Hellos at 1 s, 1.1 s, 1.3 s; the next is due at 1.7 s.
  EXPECT_TRUE(client->joined());
  advance(1700ms);
  EXPECT_FALSE(client->joined());
  EXPECT_EQ(counters().silences, 1u);
  submit(2, 5s);
  EXPECT_THAT(sent(), IsEmpty());
  welcome();
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_EQ(counters().rejoined, 1u);
}

TEST_F(ClientTest, ResultsBreakTheSilenceToo) {
  join();
  submit(1, 5s);
  submit(2, 5s);
  advance(1600ms);
  say(result(1));
  advance(1800ms);
  EXPECT_TRUE(client->joined());
}

TEST_F(ClientTest, WhatTheLinkWouldNotTakeIsSentAgainALittleLater) {
  join();
  advance(10ms);
  submit(1);
  advance(20ms);
  submit(2);
  sent();
  advance(21ms);
  say(wire::Undelivered{.why = wire::Undelivered::Why::blocked});
  EXPECT_THAT(sent(), IsEmpty());
  advance(40ms);
  EXPECT_THAT(sent(), IsEmpty());
  advance(41ms);
  EXPECT_THAT(sent(), ElementsAre(2));  // Request 1 was sent in the iteration before.
  EXPECT_EQ(counters().undelivered, 1u);
}

TEST_F(ClientTest, ATimerThatGoesBeforeTheNewsOfALossHidesNothing) {
  join();
  submit(1);
  sent();
  ASSERT_EQ(client->submit({2}, image(), {}, at(10ms)), Client::Submitted::queued);
  now = at(20ms);
  take(client->on_timeout(now));  // Sends request 2 before the Undelivered for 1.
  say(wire::Undelivered{.why = wire::Undelivered::Why::blocked});
  EXPECT_THAT(sent(), ElementsAre(2));
  advance(40ms);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
}

TEST_F(ClientTest, AnUnansweredRequestIsSentAgainIfThePolicySaysSo) {
  Policy p = policy();
  p.resubmit_after = 600ms;
  make(p);
  join();
  submit(1, 1500ms);
  advance(599ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  advance(600ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  advance(1900ms);
  EXPECT_THAT(sent(), ElementsAre(1));  // At 1.2 s, and not beyond the deadline.
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
}

TEST_F(ClientTest, ARequestIsNotSentAgainWhileOthersTakeAsLong) {
  Policy p = policy();
  p.resubmit_after = 300ms;
  make(p);
  join();
  submit(1, 1900ms);
  submit(2, 1900ms);
  sent();
  advance(290ms);
  say(result(1));
  advance(579ms);
  EXPECT_THAT(sent(), IsEmpty());
  advance(580ms);
  EXPECT_THAT(sent(), ElementsAre(2));
}

TEST_F(ClientTest, ARequestThatTheBrokerKnowsIsSentAgainMoreAndMoreRarely) {
  Policy p = policy();
  p.resubmit_after = 200ms;
  make(p);
  join();
  submit(1);
  sent();
  advance(200ms);
  refuse(1, Reason::duplicate_request);
  EXPECT_THAT(sent(), ElementsAre(1));
  advance(599ms);
  EXPECT_THAT(sent(), IsEmpty());
  advance(600ms);  // The answer may be lost as well.
  refuse(1, Reason::duplicate_request);
  EXPECT_THAT(sent(), ElementsAre(1));
  advance(900ms);
  welcome();
  advance(1399ms);
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(counters().open_already, 2u);
}

TEST_F(ClientTest, ALostBrokerIsGreetedMoreOftenThanOneThatNeverAnswered) {
  Policy p = policy();
  p.hello_max = 5s;
  p.hello_lost = 250ms;
  make(p);
  advance(4s);
  EXPECT_EQ(hellos(), 6);  // At 0, 0.1, 0.3, 0.7, 1.5 and 3.1 s.
  welcome();
  advance(5s);
  hellos();
  advance(6s);
  EXPECT_EQ(hellos(), 4);  // At 5.1, 5.3 and 5.7 s, when it counts as silent, and 5.95 s.
  advance(20s);
  hellos();
  advance(40s);
  EXPECT_LE(hellos(), 9);  // An eighth of the silence, and 5 s in the end.
}

// --- drain ---

TEST_F(ClientTest, DrainFinishesWhatIsOpenAndTakesNothingNew) {
  join(1);
  submit(1);
  submit(2);
  say(wire::Drain{});
  EXPECT_FALSE(finished);
  EXPECT_EQ(submit(3), Client::Submitted::draining);
  EXPECT_EQ(client->window(), 0u);
  say(result(1));
  EXPECT_FALSE(finished);
  say(result(2));
  EXPECT_TRUE(finished);
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
}

TEST_F(ClientTest, DrainWithoutABrokerEndsAtTheDeadline) {
  submit(1, 1s);
  say(wire::Drain{});
  advance(1s);
  EXPECT_TRUE(finished);
  EXPECT_THAT(delivered(), ElementsAre(missing(1)));
}

TEST_F(ClientTest, DrainWithNothingOpenFinishesAtOnce) {
  say(wire::Drain{});
  EXPECT_TRUE(finished);
}

// --- messages that a peer should not send ---

TEST_F(ClientTest, MessagesForOthersAreCountedAndDropped) {
  join();
  say(wire::SealCollage{});
  take(client->on_message({.link = 1, .id = 0}, result(1), now));
  EXPECT_EQ(counters().unexpected, 2u);
  say(wire::Undecodable{});
  EXPECT_EQ(counters().undecodable, 1u);
  EXPECT_TRUE(client->joined());
}

}  // namespace
}  // namespace producer
