// Streams in which newer frames supersede older ones, and priorities.

#include "tests/producer/client_fixture.h"

namespace producer {
namespace {

using ClientLatestTest = ClientTest;

TEST_F(ClientLatestTest, TheBrokerLearnsPriorityAndStream) {
  join();
  ASSERT_EQ(client->submit({1}, image(), {.priority = wire::Priority::high, .latest = 9}, now),
            Client::Submitted::queued);
  advance(now.since_start);
  EXPECT_EQ(last_submit.priority, wire::Priority::high);
  EXPECT_EQ(last_submit.latest, 9u);
  submit(2);
  EXPECT_EQ(last_submit.priority, wire::Priority::normal);
  EXPECT_EQ(last_submit.latest, 0u);
}

TEST_F(ClientLatestTest, ARequestThatIsSentAgainKeepsBoth) {
  join();
  ASSERT_EQ(client->submit({1}, image(), {.priority = wire::Priority::low, .latest = 9}, now),
            Client::Submitted::queued);
  advance(now.since_start);
  sent();
  last_submit = {};
  welcome(4, kOtherEpoch);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_EQ(last_submit.priority, wire::Priority::low);
  EXPECT_EQ(last_submit.latest, 9u);
  last_submit = {};
  refuse(1, Reason::overloaded, 100ms);
  advance(100ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_EQ(last_submit.priority, wire::Priority::low);
  EXPECT_EQ(last_submit.latest, 9u);
}

TEST_F(ClientLatestTest, AnOverloadedBrokerIsAskedAgainAfterItsHint) {
  join();
  submit(1);
  sent();
  refuse(1, Reason::overloaded, 500ms);
  EXPECT_THAT(delivered(), IsEmpty());
  advance(499ms);
  EXPECT_THAT(sent(), IsEmpty());
  advance(500ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_EQ(counters().retried, 1u);
  refuse(1, Reason::overloaded, 5s);  // The deadline leaves no time for that.
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(last.result.reason, Reason::overloaded);
}

TEST_F(ClientLatestTest, SupersededIsFinal) {
  join();
  submit_latest(1, 9);
  submit_latest(2, 9);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_THAT(delivered(), IsEmpty()) << "the broker has the first, so the broker answers it";
  say(result(1, ResultStatus::superseded));
  EXPECT_THAT(delivered(), ElementsAre(superseded(1)));
  EXPECT_FALSE(last.local);
  say(result(1));
  EXPECT_EQ(counters().duplicate_results, 1u);
  EXPECT_EQ(counters().superseded, 1u);
  say(result(2));
  EXPECT_THAT(delivered(), ElementsAre(answered(2)));
  advance(3s);
  EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(ClientLatestTest, WhatWaitsForCreditIsSupersededHere) {
  join(1);
  submit_latest(1, 9);
  submit_latest(2, 9);
  EXPECT_THAT(delivered(), IsEmpty());
  submit_latest(3, 9);
  EXPECT_THAT(delivered(), ElementsAre(superseded(2)));
  EXPECT_TRUE(last.local);
  EXPECT_THAT(sent(), ElementsAre(1));
  say(result(1));
  EXPECT_THAT(sent(), ElementsAre(3));
}

TEST_F(ClientLatestTest, OtherStreamsAndImagesOfNoneGoOn) {
  join(1);
  submit(1);
  submit_latest(2, 9);
  submit_latest(3, 8);
  submit(4);
  submit(5);
  EXPECT_THAT(delivered(), IsEmpty());
  EXPECT_EQ(client->open(), 5u);
}

TEST_F(ClientLatestTest, NoOlderFrameIsSentAfterANewerOne) {
  join();
  submit_latest(1, 9);
  refuse(1, Reason::full, 500ms);
  submit_latest(2, 9);
  EXPECT_THAT(delivered(), ElementsAre(superseded(1)));
  submit_latest(3, 9);
  EXPECT_THAT(sent(), ElementsAre(1, 2, 3));
  refuse(2, Reason::overloaded, 500ms);
  EXPECT_THAT(delivered(), ElementsAre(superseded(2)));
  advance(1s);
  EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(ClientLatestTest, AnOlderFrameIsRetriedOnlyUntilANewerOneComes) {
  join();
  submit_latest(1, 9);
  submit_latest(2, 9);
  say(result(2));
  refuse(1, Reason::overloaded, 500ms);
  EXPECT_THAT(delivered(), ElementsAre(answered(2)));
  submit_latest(3, 9);
  EXPECT_THAT(delivered(), ElementsAre(superseded(1)));
}

TEST_F(ClientLatestTest, ARestartedBrokerGetsWhatTheLastOneHad) {
  join();
  submit_latest(1, 9);
  submit_latest(2, 9);
  sent();
  welcome(4, kOtherEpoch);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_THAT(delivered(), IsEmpty());
}

TEST_F(ClientLatestTest, AStreamGoesOnAfterItsNewestFrameIsAnswered) {
  join(1);
  submit_latest(1, 9);
  say(result(1));
  submit_latest(2, 9);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
}

TEST_F(ClientLatestTest, SupersededTakesItsTurnInAnOrderedStream) {
  join(1);
  for (std::uint64_t id = 1; id <= 3; ++id) submit_latest(id, 9, StreamId{7});
  EXPECT_THAT(delivered(), IsEmpty());
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1), superseded(2)));
}

TEST_F(ClientLatestTest, ACancelledFrameIsDeliveredOnce) {
  join(1);
  submit_latest(1, 9);
  ASSERT_EQ(client->submit({2}, image(), {.latest = 9}, now), Client::Submitted::queued);
  EXPECT_TRUE(client->cancel({2}, now));
  submit_latest(3, 9);
  EXPECT_EQ(delivered().size(), 1u);
  EXPECT_EQ(client->open(), 2u);
}

}  // namespace
}  // namespace producer
