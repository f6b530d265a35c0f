// The broker and its sinks: which of them joins a batch, and what happens when one is lost.
#include "tests/broker/broker_fixture.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Reason;
using wire::ResultStatus;

// A broker with two sinks, a producer and two s-CNNs; a heartbeat of 100 ms.
class BrokerSinksTest : public BrokerTest {
 protected:
  BrokerSinksTest() {
    Policy policy = small_policy("none");
    policy.sink_max = 2;
    policy.deadline = 3s;
    make(policy);
    join_sink(1);
    join_sink(2, kOtherSink, 1);
    join_producer(1);
    join_worker(1);
    join_worker(2);
  }
  // Lets time pass while the s-CNNs and the given sinks send their heartbeats.
  void beat(wire::Duration until, std::initializer_list<machine::Peer> sinks) {
    while (now < at(until)) {
      advance(std::min(now.since_start + 50ms, until));
      for (const std::uint64_t n : {1, 2}) ready(worker(n), seen);
      for (const machine::Peer sink : sinks) ready(sink, 0);
    }
  }

  std::uint64_t seen = 0;  // The s-CNNs are done with the tasks up to this one.
};

TEST_F(BrokerTest, ASinkThatRestartsIsSentAllThatIsOpenAgain) {
  join_producer(1);
  join_sink(1);
  for (std::uint64_t request = 1; request <= 5; ++request) submit(1, request);
  advance(30ms);
  forget();
  join_sink(2, kOtherSink);
  EXPECT_THAT(received<wire::Welcome>(kOtherSink), SizeIs(1));
  const auto opened = received<wire::BatchOpened>(kOtherSink);
  ASSERT_THAT(opened, SizeIs(2));
  EXPECT_EQ(opened[0].batch, batch(1));
  EXPECT_EQ(opened[0].slots, 4);
  EXPECT_EQ(opened[0].age, 30ms);
  EXPECT_EQ(opened[1].batch, batch(2));
  const auto sealed = the<wire::BatchSealed>(kOtherSink);
  EXPECT_EQ(sealed.batch, batch(1));
  EXPECT_THAT(sealed.ages, ElementsAre(30ms, 30ms, 30ms, 30ms));
}

TEST_F(BrokerTest, TheSinkBeforeHasNoSayAnyMore) {
  join_producer(1);
  join_sink(1);
  submit(1, 5);
  join_sink(2, kOtherSink);
  settle(batch(1), 0);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("bad_messages"), 1u);
}

TEST_F(BrokerTest, ASinkThatWeDoNotKnowIsAskedToSayHelloAtOnce) {
  settle({{kEpoch.value - 1}, {1}}, 0);  // It has not noticed yet that the broker restarted.
  EXPECT_EQ(the<wire::Refuse>(kSink).reason, Reason::unknown_worker);
  say(kSink, wire::ServiceTimes{});
  EXPECT_EQ(the<wire::Refuse>(kSink).reason, Reason::unknown_worker);
}

TEST_F(BrokerTest, ASinkThatWasDeafForAWhileIsStillTheSink) {
  join_sink();
  advance(5s);
  EXPECT_EQ(counter("sinks"), 1u);
  EXPECT_FALSE(noted("lost sink"));
}

TEST_F(BrokerTest, ASinkWhoseConnectionFailsIsLost) {
  join_sink();
  say(kSink, wire::Undelivered{});
  EXPECT_EQ(counter("sinks"), 0u);
  ready(kSink, 0);
  EXPECT_EQ(the<wire::Refuse>(kSink).reason, Reason::unknown_worker);
}

TEST_F(BrokerSinksTest, TheBatchesOfASinkWhoseConnectionFailsAreOpenedAtTheOther) {
  submit(1, 5);
  EXPECT_EQ(the<wire::BatchOpened>(kSink).batch, batch(1));
  EXPECT_EQ(the<wire::Assign>(worker(1)).sink, 0);
  say(kSink, wire::Undelivered{});
  EXPECT_EQ(the<wire::BatchOpened>(kOtherSink).batch, batch(1));
  for (const std::uint64_t n : {1, 2}) {
    const auto redirect = the<wire::Redirect>(worker(n));
    EXPECT_EQ(redirect.from, 0);
    EXPECT_EQ(redirect.to, 1);
    EXPECT_EQ(redirect.oldest, batch(1));
  }
  say(kOtherSink,
      wire::SlotSettled{batch(1), 0, wire::Source::single, {{{{1}, 0.9f}}, Reason::none}, "v1"});
  EXPECT_THAT(results(1, ResultStatus::answered), ElementsAre(5));
  EXPECT_EQ(counter("batches_moved"), 1u);
}

TEST_F(BrokerSinksTest, ASinkThatIsSilentLosesItsBatchesToTheOther) {
  submit(1, 5);
  beat(300ms, {kOtherSink});
  EXPECT_THAT(received<wire::BatchOpened>(kOtherSink), IsEmpty());
  beat(500ms, {kOtherSink});
  EXPECT_EQ(the<wire::BatchOpened>(kOtherSink).batch, batch(1));
  EXPECT_EQ(the<wire::Redirect>(worker(2)).to, 1);
  EXPECT_TRUE(noted("lost sink"));
  ready(kSink, 0);  // It comes back and joins anew.
  EXPECT_EQ(the<wire::Refuse>(kSink).reason, Reason::unknown_worker);
  received<wire::BatchOpened>(kSink);
  join_sink(1);
  EXPECT_THAT(received<wire::BatchOpened>(kSink), IsEmpty());
}

TEST_F(BrokerSinksTest, NewBatchesGoToTheSinkThatIsHeard) {
  beat(200ms, {kSink});
  submit(1, 5);
  submit(1, 6);
  advance(250ms);  // The first batch is sealed.
  submit(1, 7);
  EXPECT_THAT(received<wire::BatchOpened>(kSink), SizeIs(2));
  EXPECT_THAT(received<wire::BatchOpened>(kOtherSink), IsEmpty());
}

TEST_F(BrokerSinksTest, WithoutAnotherSinkALostOneIsWaitedFor) {
  say(kOtherSink, wire::Undelivered{});
  submit(1, 5);
  say(kSink, wire::Undelivered{});
  EXPECT_THAT(received<wire::Redirect>(worker(1)), IsEmpty());
  join_sink(3, kOtherSink, 1);  // One that has another index comes first.
  EXPECT_EQ(the<wire::Redirect>(worker(1)).from, 0);
  EXPECT_EQ(the<wire::BatchOpened>(kOtherSink).batch, batch(1));
}

TEST_F(BrokerSinksTest, AnswersAreSentAgainToAProcessThatTakesTheSinksPlace) {
  submit(1, 5);
  ready(worker(1), the<wire::Assign>(worker(1)).sequence.value);  // Answered, to the sink.
  constexpr machine::Peer kNext{kWorkers, 92};
  join_sink(3, kNext);
  const auto redirect = the<wire::Redirect>(worker(1));
  EXPECT_EQ(redirect.from, 0);
  EXPECT_EQ(redirect.to, 0);
  EXPECT_EQ(the<wire::BatchOpened>(kNext).batch, batch(1));
  EXPECT_THAT(received<wire::Assign>(worker(1)), IsEmpty());
  EXPECT_EQ(counter("batches_moved"), 0u);
}

// Its choice may have been lost on its way to the broker.
TEST_F(BrokerSinksTest, ASinkIsAskedAgainForAnImageThatAllSCnnsAreDoneWith) {
  say(kOtherSink, wire::Undelivered{});
  submit(1, 5);
  seen = the<wire::Assign>(worker(1)).sequence.value;
  EXPECT_THAT(received<wire::BatchOpened>(kSink), SizeIs(1));
  beat(200ms, {kSink});
  EXPECT_EQ(the<wire::BatchOpened>(kSink).batch, batch(1));
}

TEST_F(BrokerSinksTest, AnImageWhoseAnswerIsLostIsAnsweredToTheOtherSink) {
  submit(1, 5);
  seen = the<wire::Assign>(worker(1)).sequence.value;  // Its answer never arrives.
  beat(200ms, {kSink, kOtherSink});
  EXPECT_EQ(the<wire::BatchOpened>(kOtherSink).batch, batch(1));
  EXPECT_EQ(the<wire::Assign>(worker(2)).sink, 1);
}

TEST_F(BrokerSinksTest, AnAnswerThatMayWaitAtABlockedSinkIsNotAskedForAgain) {
  say(kOtherSink, wire::Undelivered{});
  submit(1, 5);
  seen = the<wire::Assign>(worker(1)).sequence.value;
  beat(2s, {});
  EXPECT_THAT(received<wire::Assign>(worker(2)), IsEmpty());
  beat(2300ms, {kSink});  // It is back, and the answer was lost after all.
  EXPECT_THAT(received<wire::Assign>(worker(2)), SizeIs(1));
}

TEST_F(BrokerSinksTest, ASinkWithoutAnEndpointIsRefused) {
  constexpr machine::Peer kThird{kWorkers, 92};
  join_sink(3, kThird, 2);
  EXPECT_EQ(the<wire::Refuse>(kThird).reason, Reason::too_many_peers);
  EXPECT_EQ(counter("sinks"), 2u);
  EXPECT_TRUE(noted("its index is 2"));
}

}  // namespace
}  // namespace broker
