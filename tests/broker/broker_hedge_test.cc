// Images that are given out more than once: hedges, copies, and answers that are lost.
#include "tests/broker/broker_fixture.h"

namespace broker {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// Leaves time for several looks at an image: every 200 ms, and 600 ms until one is a suspect.
Policy patient_policy(std::string_view redundancy) {
  Policy policy = small_policy(redundancy);
  policy.deadline = 3s;
  policy.suspect_factor = 3;
  policy.heartbeat = 1s;
  return policy;
}

TEST_F(BrokerTest, AnUnansweredSlotIsHedgedOnAnotherWorker) {
  make(small_policy("hedge"));
  join_producer(1);
  join_worker(1);
  join_worker(2);
  submit(1, 5);
  EXPECT_THAT(received<wire::Assign>(worker(1)), SizeIs(1));
  advance(199ms);
  EXPECT_THAT(received<wire::Assign>(worker(2)), IsEmpty());
  advance(200ms);
  const auto assign = the<wire::Assign>(worker(2));
  EXPECT_TRUE(assign.hedge);
  EXPECT_EQ(assign.age, 200ms);
  EXPECT_EQ(counter("hedges"), 1u);
}

TEST_F(BrokerTest, ASlotWhoseHedgeIsLateTooIsHedgedAgain) {
  make(patient_policy("hedge"));
  join_sink();
  join_producer(1);
  for (std::uint64_t n = 1; n <= 3; ++n) join_worker(n);
  submit(1, 10);
  submit(1, 11);  // Answered at once; its token is for the second hedge.
  settle(the<wire::Assign>(worker(2)).batch, 1);
  ready(worker(2), 100);
  advance(200ms);
  EXPECT_TRUE(the<wire::Assign>(worker(3)).hedge);
  advance(799ms);
  EXPECT_THAT(received<wire::Assign>(worker(2)), IsEmpty());
  advance(800ms);
  EXPECT_TRUE(the<wire::Assign>(worker(2)).hedge);
  EXPECT_EQ(counter("hedges"), 2u);
}

// Whatever the policy, and without a token for a hedge.
TEST_F(BrokerTest, ALostAnswerIsAskedForAgainWhenTheBrokerLooksAtTheImage) {
  for (const char* policy_name : {"none", "collage", "hedge", "collage-hedge"}) {
    SCOPED_TRACE(policy_name);
    Policy policy = patient_policy(policy_name);
    policy.hedge_rate_max = 0;
    make(policy);
    join_sink();
    join_producer(1);
    join_worker(1);
    join_worker(2);
    submit(1, 10);
    const auto first = the<wire::Assign>(worker(1));
    ready(worker(1), first.sequence.value);  // Done, and its answer never arrives.
    advance(199ms);
    EXPECT_THAT(received<wire::Assign>(worker(2)), IsEmpty());
    advance(200ms);
    const auto second = the<wire::Assign>(worker(2));
    EXPECT_EQ(second.slot, first.slot);
    EXPECT_FALSE(second.hedge);
    ready(worker(2), second.sequence.value);  // Lost again; both have been asked.
    advance(399ms);
    EXPECT_THAT(received<wire::Assign>(worker(1)), IsEmpty());
    advance(400ms);
    EXPECT_THAT(received<wire::Assign>(worker(1)), SizeIs(1));
    EXPECT_EQ(counter("tasks_redispatched"), 2u);
  }
}

// The image waits for another s-CNN than the one whose answer was lost, and there is none any more.
TEST_F(BrokerTest, AnImageThatWaitsGoesToTheSCnnThatHasLostItsAnswerIfThatIsTheLast) {
  make(patient_policy("hedge"));
  join_sink();
  join_producer(1);
  join_worker(1);
  join_worker(2);
  submit(1, 10);
  const auto first = the<wire::Assign>(worker(1));
  advance(200ms);
  EXPECT_TRUE(the<wire::Assign>(worker(2)).hedge);
  ready(worker(1), first.sequence.value);  // Done, and its answer never arrives.
  say(worker(2), wire::Undelivered{});     // Lost with the hedge, for which no other is free.
  EXPECT_THAT(received<wire::Assign>(worker(1)), IsEmpty());
  advance(400ms);
  EXPECT_EQ(the<wire::Assign>(worker(1)).slot, first.slot);
}

TEST_F(BrokerTest, AWorkerThatHoldsAnImageIsNotGivenItTwice) {
  Policy policy = small_policy("hedge");
  policy.deadline = 3s;
  make(policy);
  join_sink();
  join_producer(1);
  join_worker(1);
  submit(1, 10);
  advance(2s);
  EXPECT_THAT(received<wire::Assign>(worker(1)), SizeIs(1));
}

TEST_F(BrokerTest, AnAnsweredSlotIsNotHedged) {
  make(small_policy("hedge"));
  join_producer(1);
  join_sink();
  join_worker(1);
  join_worker(2);
  submit(1, 5);
  settle(batch(1), 0);
  advance(300ms);
  EXPECT_EQ(counter("hedges"), 0u);
}

TEST_F(BrokerTest, HedgesStartAtWhatTheSinkHasLearned) {
  const auto hedged_at = [this](std::string_view name, wire::ServiceTimes learned) {
    make(small_policy(name));
    join_producer(1);
    join_sink();
    join_worker(1);
    join_worker(2);
    say(kSink, learned);
    submit(1, 5);
    for (wire::Duration t = 0ms; t < 1s; t += 10ms) {
      advance(t);
      ready(worker(2), 0);
      if (counter("hedges") == 1) return t;
    }
    return wire::Duration::max();
  };
  const wire::ServiceTimes learned{.patience = 250ms, .p95 = 400ms, .p99 = 600ms, .budget = 320ms};
  EXPECT_EQ(hedged_at("hedge", learned), 400ms);
  EXPECT_EQ(hedged_at("collage-hedge", learned), 440ms);
  EXPECT_EQ(hedged_at("hedge-budget", learned), 320ms);
  EXPECT_EQ(hedged_at("collage", learned), wire::Duration::max());
  EXPECT_EQ(hedged_at("hedge", {.p95 = 50ms}),
            50ms);                           // Sooner than hedge_after, if that is learned.
  EXPECT_EQ(hedged_at("hedge", {}), 200ms);  // hedge_after, while nothing is.
}

TEST_F(BrokerTest, WhenEverythingIsSlowHedgesStop) {
  Policy policy = small_policy("hedge");
  policy.hedge_rate_max = 0.5;
  policy.suspect_factor = 10;
  make(std::move(policy));
  join_producer(1);
  join_worker(1, 9);
  join_worker(2, 9);
  for (std::uint64_t request = 1; request <= 6; ++request) submit(1, request);
  advance(900ms);
  EXPECT_EQ(counter("hedges"), 3u);
  EXPECT_EQ(counter("hedges_no_rate"), 3u);
}

TEST_F(BrokerTest, WithNobodyElseFreeThereIsNoHedge) {
  make(small_policy("hedge"));
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  advance(300ms);
  EXPECT_EQ(counter("hedges_no_worker"), 1u);
  EXPECT_EQ(counter("hedges"), 0u);
}

TEST_F(BrokerTest, DuplicateSendsEachImageToTwoWorkers) {
  make(small_policy("duplicate"));
  join_producer(1);
  join_worker(1);
  join_worker(2);
  submit(1, 5);
  EXPECT_FALSE(the<wire::Assign>(worker(1)).hedge);
  EXPECT_FALSE(the<wire::Assign>(worker(2)).hedge);
  EXPECT_EQ(counter("tasks_dispatched"), 2u);
}

TEST_F(BrokerTest, ACopyThatWaitsForASecondWorkerHoldsUpNoOtherImage) {
  make(small_policy("duplicate"));
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  submit(1, 6);
  EXPECT_THAT(received<wire::Assign>(worker(1)), SizeIs(2));
}

}  // namespace
}  // namespace broker
