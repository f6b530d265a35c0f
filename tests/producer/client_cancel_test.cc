#include "tests/producer/client_fixture.h"

namespace producer {
namespace {

class ClientCancelTest : public ClientTest {};

TEST_F(ClientCancelTest, WhatHasNotBeenSentIsCancelledHere) {
  join(1);
  submit(1);
  submit(2);
  EXPECT_TRUE(cancel(2));
  EXPECT_THAT(delivered(), ElementsAre(cancelled(2)));
  EXPECT_TRUE(last.local);
  EXPECT_THAT(cancels(), IsEmpty());
  say(result(1));
  EXPECT_THAT(sent(), ElementsAre(1));
}

TEST_F(ClientCancelTest, BeforeThereIsABrokerACancelTakesEffectAtOnce) {
  submit(1);
  EXPECT_TRUE(cancel(1));
  EXPECT_THAT(delivered(), ElementsAre(cancelled(1)));
  EXPECT_EQ(client->open(), 0u);
}

TEST_F(ClientCancelTest, WhatTheBrokerHasItIsAskedToCancel) {
  join();
  submit(1);
  EXPECT_TRUE(cancel(1));
  EXPECT_THAT(cancels(), ElementsAre(1));
  EXPECT_THAT(delivered(), IsEmpty());
  say(result(1, ResultStatus::cancelled));
  EXPECT_THAT(delivered(), ElementsAre(cancelled(1)));
  EXPECT_FALSE(last.local);
  EXPECT_EQ(counters().cancelled, 1u);
}

TEST_F(ClientCancelTest, TheBrokerIsAskedOnce) {
  join();
  submit(1);
  cancel(1);
  EXPECT_TRUE(cancel(1));
  advance(100ms);
  EXPECT_THAT(cancels(), ElementsAre(1));
  EXPECT_EQ(counters().cancels, 1u);
}

TEST_F(ClientCancelTest, AnAnswerThatCrossesTheCancelIsDelivered) {
  join();
  submit(1);
  cancel(1);
  say(result(1));
  say(result(1, ResultStatus::cancelled));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
  EXPECT_EQ(counters().cancelled, 0u);
  EXPECT_EQ(counters().duplicate_results, 1u);
}

TEST_F(ClientCancelTest, WhatIsNotOpenCannotBeCancelled) {
  join();
  submit(1);
  say(result(1));
  EXPECT_FALSE(cancel(1));
  EXPECT_FALSE(cancel(9));
  EXPECT_THAT(cancels(), IsEmpty());
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
}

TEST_F(ClientCancelTest, ALostCancelLeavesTheRequestToItsDeadline) {
  join();
  submit(1, 1s);
  cancel(1);
  advance(1499ms);
  EXPECT_THAT(delivered(), IsEmpty());
  advance(1500ms);
  EXPECT_THAT(delivered(), ElementsAre(cancelled(1)));
  EXPECT_TRUE(last.local);
}

TEST_F(ClientCancelTest, ACancelledRequestIsNotSentToARestartedBroker) {
  join();
  submit(1);
  cancel(1);
  sent();
  cancels();
  welcome(4, kOtherEpoch);
  EXPECT_THAT(delivered(), ElementsAre(cancelled(1)));
  EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(ClientCancelTest, ABrokerThatWasLostForAWhileIsAskedAgain) {
  join();
  submit(1);
  cancel(1);
  cancels();
  say(wire::Refuse{Reason::unknown_producer});
  welcome();
  EXPECT_THAT(cancels(), ElementsAre(1));
  EXPECT_THAT(delivered(), ElementsAre(cancelled(1)));
}

TEST_F(ClientCancelTest, WhileTheBrokerIsLostACancelWaitsAndKeepsNobodyBusy) {
  join();
  submit(1, 1s);
  say(wire::Refuse{Reason::unknown_producer});
  EXPECT_TRUE(cancel(1));
  advance(50ms);
  EXPECT_THAT(cancels(), IsEmpty());
  EXPECT_THAT(delivered(), IsEmpty());
}

TEST_F(ClientCancelTest, ARefusedRequestThatWaitsIsCancelledHere) {
  join();
  submit(1);
  refuse(1, Reason::full, 250ms);
  cancel(1);
  EXPECT_THAT(delivered(), ElementsAre(cancelled(1)));
  advance(1s);
  EXPECT_THAT(sent(), ElementsAre(1));
}

TEST_F(ClientCancelTest, ACancelledRequestThatIsRefusedIsNotTriedAgain) {
  join();
  submit(1);
  cancel(1);
  refuse(1, Reason::full, 250ms);
  EXPECT_THAT(delivered(), ElementsAre(cancelled(1)));
}

TEST_F(ClientCancelTest, ACancelThatTheLinkWouldNotTakeIsSaidAgain) {
  join();
  submit(1);
  advance(50ms);
  welcome();
  advance(100ms);
  cancel(1);
  cancels();
  say(wire::Undelivered{});
  advance(119ms);
  EXPECT_THAT(cancels(), IsEmpty());
  advance(120ms);
  EXPECT_THAT(cancels(), ElementsAre(1));
}

TEST_F(ClientCancelTest, ACancelMakesRoomOnlyOnceTheBrokerSaysSo) {
  join(1);
  submit(1);
  submit(2);
  cancel(1);
  EXPECT_THAT(sent(), ElementsAre(1));
  say(result(1, ResultStatus::cancelled));
  EXPECT_THAT(sent(), ElementsAre(2));
}

TEST_F(ClientTest, ACancelledRequestIsNotSentAgainForLackOfAWord) {
  Policy p = policy();
  p.resubmit_after = 200ms;
  make(p);
  join();
  submit(1, 1s);
  cancel(1);
  advance(900ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_THAT(delivered(), IsEmpty());  // The broker may have it.
}

}  // namespace
}  // namespace producer
