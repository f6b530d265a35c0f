#include "tests/producer/client_fixture.h"

namespace producer {
namespace {

// --- hello and welcome ---

TEST_F(ClientTest, ANewClientIsDueAtOnceAndSaysHello) {
  EXPECT_EQ(client->next_timeout(), at(0ms));
  advance(0ms);
  EXPECT_EQ(hellos(), 1);
  EXPECT_FALSE(client->joined());
}

TEST_F(ClientTest, UnansweredHellosBackOffAndStayWithinTheirBound) {
  std::vector<Duration> gaps;
  advance(0ms);
  for (int i = 0; i < 6; ++i) {
    gaps.push_back(*client->next_timeout() - now);
    advance(client->next_timeout()->since_start);
  }
  EXPECT_THAT(gaps, ElementsAre(100ms, 200ms, 400ms, 700ms, 700ms, 700ms));
  EXPECT_EQ(counters().hellos, 7u);
}

TEST_F(ClientTest, JitterShortensTheBackOffAndFollowsFromTheProducersId) {
  const auto first_gap = [](std::uint64_t id) {
    Policy p = policy();
    p.hello_jitter = 0.5;
    p.producer.low = id;
    Client jittery(p);
    (void)jittery.on_timeout(at(0ms));
    return jittery.next_timeout()->since_start;
  };
  EXPECT_EQ(first_gap(10), first_gap(10));
  EXPECT_NE(first_gap(10), first_gap(11));
  EXPECT_GE(first_gap(10), 50ms);
  EXPECT_LT(first_gap(10), 100ms);
}

TEST_F(ClientTest, AWelcomedClientSaysHelloEveryHeartbeat) {
  join();
  advance(999ms);
  EXPECT_EQ(hellos(), 0);
  advance(1000ms);
  EXPECT_EQ(hellos(), 1);
  welcome();
  advance(1999ms);
  EXPECT_EQ(hellos(), 0);
}

TEST_F(ClientTest, AWelcomeWithoutAHeartbeatDoesNotMakeItChatter) {
  advance(0ms);
  EXPECT_EQ(hellos(), 1);
  say(wire::Welcome{.epoch = kEpoch, .credit = 1, .image_bytes_max = 1});
  EXPECT_EQ(hellos(), 0);
  EXPECT_EQ(client->next_timeout(), at(100ms));
}

// --- credit ---

TEST_F(ClientTest, NothingIsSentBeforeTheWelcome) {
  submit(1);
  EXPECT_THAT(sent(), IsEmpty());
  welcome();
  EXPECT_THAT(sent(), ElementsAre(1));
}

TEST_F(ClientTest, CreditIsNeverExceededAndTheOldestGoFirst) {
  join(2);
  for (std::uint64_t id = 1; id <= 5; ++id) submit(id);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  say(result(2));
  EXPECT_THAT(sent(), ElementsAre(3));
  say(result(1));
  say(result(3));
  EXPECT_THAT(sent(), ElementsAre(4, 5));
}

TEST_F(ClientTest, WithdrawnCreditStopsSending) {
  join(2);
  submit(1);
  welcome(0);
  submit(2);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_EQ(client->window(), 0u);
  say(result(1));
  EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(ClientTest, TheWindowIsWhatWouldGoOutAtOnce) {
  EXPECT_EQ(client->window(), 0u);
  join(3);
  EXPECT_EQ(client->window(), 3u);
  submit(1);
  EXPECT_EQ(client->window(), 2u);
}

// --- bounds ---

TEST_F(ClientTest, BeyondOpenMaxTheOwnerIsTurnedAway) {
  Policy p = policy();
  p.open_max = 2;
  make(p);
  EXPECT_EQ(submit(1), Client::Submitted::queued);
  EXPECT_EQ(submit(2), Client::Submitted::queued);
  EXPECT_EQ(submit(3), Client::Submitted::full);
  EXPECT_EQ(counters().full, 1u);
  EXPECT_EQ(counters().submitted, 2u);
}

TEST_F(ClientTest, ResultsThatNobodyTakesCountAsOpen) {
  Policy p = policy();
  p.open_max = 1;
  make(p);
  join();
  submit(1);
  say(result(1));
  EXPECT_EQ(submit(2), Client::Submitted::full);
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
  EXPECT_EQ(submit(2), Client::Submitted::queued);
}

TEST_F(ClientTest, ImagesAreBoundedInBytesTooButOneIsAlwaysTaken) {
  Policy p = policy();
  p.open_bytes_max = 10;
  make(p);
  join();
  EXPECT_EQ(submit(1, 0s, 50), Client::Submitted::queued);
  EXPECT_EQ(submit(2, 0s, 1), Client::Submitted::full);
  say(result(1));
  EXPECT_EQ(submit(2, 0s, 10), Client::Submitted::queued);
}

TEST_F(ClientTest, AnImageAboveTheBrokersLimitIsRefusedHere) {
  join();
  submit(1, 0s, 101);
  submit(2, 0s, 100);
  EXPECT_THAT(sent(), ElementsAre(2));
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(last.result.reason, Reason::image_too_large);
  EXPECT_TRUE(last.local);
  EXPECT_EQ(counters().too_large, 1u);
}

// --- results ---

TEST_F(ClientTest, AResultIsDeliveredWithBothLatencies) {
  join();
  advance(10ms);
  submit(1);
  advance(60ms);
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
  EXPECT_EQ(last.latency, 50ms);
  EXPECT_EQ(last.result.latency, 30ms);
  EXPECT_FALSE(last.local);
  EXPECT_EQ(counters().delivered, 1u);
}

TEST_F(ClientTest, ASecondResultIsCountedAndDropped) {
  join();
  submit(1);
  say(result(1));
  say(result(1, ResultStatus::missing));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
  EXPECT_EQ(counters().duplicate_results, 1u);
}

TEST_F(ClientTest, AResultForARequestThatNeverWasIsCountedAndDropped) {
  join();
  submit(1);
  say(result(9));
  EXPECT_THAT(delivered(), IsEmpty());
  EXPECT_EQ(counters().unknown_results, 1u);
}

TEST_F(ClientTest, ARejectedImageIsDeliveredAsSuch) {
  join();
  submit(1);
  say(result(1, ResultStatus::rejected, Reason::truncated_image));
  ASSERT_EQ(delivered().size(), 1u);
  EXPECT_EQ(last.result.status, ResultStatus::rejected);
  EXPECT_EQ(last.result.reason, Reason::truncated_image);
}

// --- deadline ---

TEST_F(ClientTest, ASubmitCarriesTheRemainingTimeToTheDeadline) {
  submit(1, 1s);
  advance(300ms);
  welcome();
  EXPECT_EQ(last_submit.remaining, 700ms);
}

TEST_F(ClientTest, TheDeadlineIsBoundedByTheBrokers) {
  join();
  submit(1, 60s);
  EXPECT_EQ(last_submit.remaining, 5s);
}

TEST_F(ClientTest, TheClientSaysMissingItselfAGraceAfterTheDeadline) {
  join();
  submit(1, 1s);
  advance(1499ms);
  EXPECT_THAT(delivered(), IsEmpty());
  advance(1500ms);
  EXPECT_THAT(delivered(), ElementsAre(missing(1)));
  EXPECT_TRUE(last.local);
  EXPECT_EQ(last.result.reason, wire::Reason::no_broker);
  EXPECT_EQ(counters().expired, 1u);
}

TEST_F(ClientTest, TheBrokersOwnMissingComesFirst) {
  join();
  submit(1, 1s);
  advance(1020ms);
  say(result(1, ResultStatus::missing));
  advance(3s);
  EXPECT_THAT(delivered(), ElementsAre(missing(1)));
  EXPECT_FALSE(last.local);
  EXPECT_EQ(counters().expired, 0u);
}

TEST_F(ClientTest, WithoutABrokerEverythingIsMissingAtItsDeadline) {
  submit(1, 1s);
  submit(2, 500ms);
  advance(1s);
  EXPECT_THAT(delivered(), ElementsAre(missing(2), missing(1)));
  EXPECT_EQ(last.result.reason, wire::Reason::no_broker);
  EXPECT_EQ(client->open(), 0u);
}

TEST_F(ClientTest, WhatTheBrokerGaveNoCreditForIsMissingForThatReason) {
  join(1);
  submit(1, 5s);
  submit(2, 1s);
  advance(1s);
  EXPECT_THAT(delivered(), ElementsAre(missing(2)));
  EXPECT_EQ(last.result.reason, wire::Reason::no_credit);
}

TEST_F(ClientTest, WhatIsPastItsDeadlineIsNotSentAgain) {
  join();
  submit(1, 1s);
  sent();
  advance(1200ms);
  welcome(4, kOtherEpoch);
  EXPECT_THAT(sent(), IsEmpty());
  say(result(1));  // A late result of the earlier broker.
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
}

TEST_F(ClientTest, TheDeadlineRunsFromTheFirstSubmission) {
  join();
  submit(1, 1s);
  advance(600ms);
  welcome(4, kOtherEpoch);
  EXPECT_EQ(last_submit.remaining, 400ms);
}

// --- refusals of a request ---

TEST_F(ClientTest, AFullBrokerIsTriedAgainAfterItsHint) {
  join();
  submit(1);
  sent();
  refuse(1, Reason::full, 250ms);
  advance(249ms);
  EXPECT_THAT(sent(), IsEmpty());
  advance(250ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_EQ(counters().retried, 1u);
  EXPECT_EQ(counters().resubmitted, 0u);
  EXPECT_THAT(delivered(), IsEmpty());
}

TEST_F(ClientTest, ARefusalWithoutAHintIsNotTriedAgainAtOnce) {
  join();
  submit(1);
  sent();
  refuse(1, Reason::no_credit);
  EXPECT_THAT(sent(), IsEmpty());
  advance(20ms);
  EXPECT_THAT(sent(), ElementsAre(1));
}

TEST_F(ClientTest, ARefusedRequestGivesItsCreditToTheNext) {
  join(1);
  submit(1);
  submit(2);
  sent();
  refuse(1, Reason::full, 250ms);
  EXPECT_THAT(sent(), ElementsAre(2));
}

TEST_F(ClientTest, ARefusalIsFinalWhenItsHintLiesBeyondTheDeadline) {
  join();
  submit(1, 1s);
  refuse(1, Reason::full, 1s);
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(last.result.reason, Reason::full);
}

TEST_F(ClientTest, ARequestThatStaysRefusedSaysSoAtItsDeadline) {
  join(1);
  submit(1, 1s);
  refuse(1, Reason::full, 250ms);
  welcome(0);
  advance(2s);
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(last.result.reason, Reason::full);
  EXPECT_TRUE(last.local);
}

TEST_F(ClientTest, ARefusalIsForgottenOnceTheRequestIsWithTheBrokerAgain) {
  join();
  submit(1, 1s);
  refuse(1, Reason::full, 250ms);
  advance(2s);
  EXPECT_THAT(delivered(), ElementsAre(missing(1)));
}

TEST_F(ClientTest, WithoutRetriesARefusalIsTheResult) {
  Policy p = policy();
  p.retry_refused = false;
  make(p);
  join();
  submit(1);
  refuse(1, Reason::full, 250ms);
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(last.result.retry_after, 250ms);
}

TEST_F(ClientTest, ABrokerThatDrainsMayBeRetriedAlone) {
  Policy p = policy();
  p.retry_refused = false;
  p.retry_draining = true;
  make(p);
  join();
  submit(1);
  submit(2);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  refuse(1, Reason::overloaded);
  refuse(2, Reason::draining, 250ms);
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(counters().refused_for_now, 1u);  // A broker that drains is another matter.
  advance(250ms);
  EXPECT_THAT(sent(), ElementsAre(2));
}

TEST_F(ClientTest, ARefusalThatWaitingCannotCureIsFinal) {
  join();
  submit(1);
  refuse(1, Reason::image_too_large);
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_FALSE(last.local);
}

TEST_F(ClientTest, DuplicateRequestIsNoResultForTheBrokerHasItAlready) {
  join();
  submit(1);
  refuse(1, Reason::duplicate_request);
  EXPECT_THAT(delivered(), IsEmpty());
  EXPECT_EQ(counters().open_already, 1u);
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
}

TEST_F(ClientTest, ALateRefusalDoesNotUndoAResubmissionThatWaits) {
  join(1);
  submit(1);
  submit(2);
  say(wire::Undelivered{});  // 1 is queued again.
  refuse(1, Reason::full, 1s);
  advance(20ms);
  EXPECT_THAT(sent(), ElementsAre(1, 1));
}

}  // namespace
}  // namespace producer
