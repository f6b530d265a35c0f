// Broker's dealings with workers and the sink, as broker/broker_workers.cc has them.
#include "tests/broker/broker_fixture.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Reason;
using wire::ResultStatus;
using wire::Role;
using wire::Source;

// --- joining ---

TEST_F(BrokerTest, AWorkerIsWelcomedAndNoted) {
  join_worker(1);
  EXPECT_EQ(the<wire::Welcome>(worker(1)).epoch, kEpoch);
  EXPECT_EQ(counter("classifiers"), 1u);
  EXPECT_TRUE(noted("classifier 00000000 joined, model s1"));
}

TEST_F(BrokerTest, AWorkerOfAnotherModelOrGridIsRefused) {
  const std::uint64_t ours = wire::labels_hash({"cat", "dog"});
  say(worker(1), wire::WorkerHello{{2, 1}, Role::classifier, {ours + 1, 0, "s1"}, 4});
  EXPECT_EQ(the<wire::Refuse>(worker(1)).reason, Reason::wrong_model);
  say(worker(1), wire::WorkerHello{{2, 1}, Role::classifier, {ours, 2, "c1"}, 4});
  EXPECT_EQ(the<wire::Refuse>(worker(1)).reason, Reason::wrong_grid);
  say(assembler(1), wire::WorkerHello{{3, 1}, Role::assembler, {ours, 3, "c1"}, 4});
  EXPECT_EQ(the<wire::Refuse>(assembler(1)).reason, Reason::wrong_grid);
  EXPECT_EQ(counter("workers_refused"), 3u);
  EXPECT_EQ(counter("classifiers") + counter("assemblers"), 0u);
  EXPECT_TRUE(noted("refused classifier 00000000: wrong_model"));
}

TEST_F(BrokerTest, ACollageCnnBelongsToItsAssemblerNotToUs) {
  const wire::Model model{wire::labels_hash({"cat", "dog"}), 2, "c1"};
  say(worker(1), wire::WorkerHello{{2, 1}, Role::collage, model, 1});
  EXPECT_EQ(the<wire::Refuse>(worker(1)).reason, Reason::wrong_role);
}

TEST_F(BrokerTest, AtWorkerMaxAFurtherWorkerIsRefused) {
  for (std::uint64_t n = 1; n <= 4; ++n) join_worker(n);
  EXPECT_EQ(the<wire::Refuse>(worker(4)).reason, Reason::too_many_peers);
  EXPECT_EQ(counter("workers_refused"), 1u);
  join_assembler(1);  // Each role has its own bound.
  EXPECT_THAT(received<wire::Welcome>(assembler(1)), SizeIs(1));
}

TEST_F(BrokerTest, AWorkerThatJoinsIsGivenWhatWaits) {
  join_producer(1);
  submit(1, 5);
  advance(70ms);
  join_worker(1);
  const auto assign = the<wire::Assign>(worker(1));
  EXPECT_EQ(assign.age, 70ms);
  EXPECT_EQ(assign.remaining, 930ms);
}

TEST_F(BrokerTest, CreditThatComesBackIsSpentAtOnce) {
  join_producer(1);
  join_worker(1, 1);
  submit(1, 5);
  submit(1, 6);
  EXPECT_EQ(the<wire::Assign>(worker(1)).slot, 0);
  ready(worker(1), 1);
  EXPECT_EQ(the<wire::Assign>(worker(1)).slot, 1);
}

TEST_F(BrokerTest, APeerThatIsNotKnownIsRefused) {
  ready(worker(1), 0);
  EXPECT_EQ(the<wire::Refuse>(worker(1)).reason, Reason::unknown_worker);
}

// --- losing workers ---

TEST_F(BrokerTest, TheTasksOfALostWorkerGoToAnother) {
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  join_worker(2);
  EXPECT_THAT(received<wire::Assign>(worker(1)), SizeIs(1));
  advance(20ms);
  say(worker(1), wire::Undelivered{});
  const auto assign = the<wire::Assign>(worker(2));
  EXPECT_EQ(assign.batch, batch(1));
  EXPECT_EQ(assign.age, 20ms);
  EXPECT_FALSE(assign.hedge);
  EXPECT_EQ(counter("tasks_redispatched"), 1u);
  EXPECT_EQ(counter("workers_lost"), 1u);
  EXPECT_TRUE(noted("lost classifier 00000000 with 1 tasks"));
}

TEST_F(BrokerTest, TheTasksOfALostWorkerWaitIfThereIsNoOther) {
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  say(worker(1), wire::Undelivered{});
  EXPECT_EQ(counter("requests_waiting"), 1u);
  join_worker(1);
  EXPECT_THAT(received<wire::Assign>(worker(1)), SizeIs(2));
}

TEST_F(BrokerTest, WhatIsAnsweredAlreadyIsNotDoneAgain) {
  join_producer(1);
  join_sink();
  join_worker(1);
  submit(1, 5);
  settle(batch(1), 0);
  join_worker(2);
  say(worker(1), wire::Undelivered{});
  EXPECT_THAT(received<wire::Assign>(worker(2)), IsEmpty());
  EXPECT_EQ(counter("tasks_redispatched"), 0u);
}

TEST_F(BrokerTest, AWorkerThatHoldsATaskTooLongIsDead) {
  Policy policy = small_policy();
  policy.task_age_max = 300ms;
  make(std::move(policy));
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  advance(290ms);
  join_worker(2);
  advance(400ms);
  EXPECT_EQ(counter("workers_lost"), 1u);
  EXPECT_THAT(received<wire::Assign>(worker(2)), SizeIs(1));
}

TEST_F(BrokerTest, ASilentIdleWorkerIsForgotten) {
  join_worker(1);
  advance(350ms);
  EXPECT_EQ(counter("classifiers"), 1u);
  advance(400ms);
  EXPECT_EQ(counter("classifiers"), 0u);
  EXPECT_EQ(counter("workers_lost"), 1u);
}

// What they have sent meanwhile is read after the timers that are due.
TEST_F(BrokerTest, APauseOfItsOwnCostsNoWorkerButOneThatStaysSilent) {
  join_worker(1);
  join_worker(2);
  pause(3s);
  EXPECT_EQ(counter("workers_lost"), 0u);
  ready(worker(1), 0);
  advance(3100ms);
  EXPECT_EQ(counter("workers_lost"), 1u);
  ready(worker(1), 0);
  EXPECT_THAT(received<wire::Refuse>(worker(1)), IsEmpty());
  ready(worker(2), 0);
  EXPECT_EQ(the<wire::Refuse>(worker(2)).reason, Reason::unknown_worker);
}

TEST_F(BrokerTest, ATaskIsNotTooOldForAPauseOfTheBroker) {
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  const std::uint64_t given = the<wire::Assign>(worker(1)).sequence.value;
  pause(6s);  // A worker may hold a task for 5 s.
  ready(worker(1), given);
  advance(6100ms);
  EXPECT_EQ(counter("workers_lost"), 0u);
}

TEST_F(BrokerTest, ABrokerThatIsAlwaysLateLosesSilentWorkersAllTheSame) {
  join_worker(1);
  pause(1s);
  EXPECT_EQ(counter("workers_lost"), 0u);
  pause(2s);
  EXPECT_EQ(counter("workers_lost"), 1u);
}

TEST_F(BrokerTest, APauseOfItsOwnCostsNoProducerItsSession) {
  join_producer(1);
  pause(3s);
  submit(1, 5);
  EXPECT_EQ(counter("requests_admitted"), 1u);
  advance(5s);  // Its request is missing, and it is silent.
  forget();
  submit(1, 6);
  EXPECT_EQ(the<wire::Result>(producer(1)).reason, Reason::unknown_producer);
}

TEST_F(BrokerTest, ASlowWorkerBecomesSuspect) {
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  advance(300ms);
  EXPECT_EQ(counter("classifiers_suspect"), 0u);
  advance(400ms);  // 1.5 x the 200 ms that stand for the p99 not learned yet.
  EXPECT_EQ(counter("classifiers_suspect"), 1u);
}

TEST_F(BrokerTest, ABusyWorkerIsPingedSoThatALostConnectionShows) {
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  forget();
  advance(100ms);
  EXPECT_THAT(received<wire::Welcome>(worker(1)), SizeIs(1));
}

TEST_F(BrokerTest, AWorkerOnANewConnectionIsGivenItsTasksAgain) {
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  forget();
  const wire::Model model{wire::labels_hash({"cat", "dog"}), 0, "s1"};
  say(worker(9), wire::WorkerHello{{2, 1}, Role::classifier, model, 4});
  EXPECT_EQ(the<wire::Assign>(worker(9)).slot, 0);
  EXPECT_EQ(counter("tasks_redispatched"), 1u);
}

TEST_F(BrokerTest, AWorkerThatTakesAnothersConnectionLosesNobodysTasks) {
  join_producer(1);
  join_worker(1, 1);
  join_worker(2, 1);
  submit(1, 5);
  submit(1, 6);
  forget();
  const wire::Model model{wire::labels_hash({"cat", "dog"}), 0, "s1"};
  say(worker(2), wire::WorkerHello{{2, 1}, Role::classifier, model, 4});
  EXPECT_THAT(received<wire::Assign>(worker(2)), SizeIs(2));
  EXPECT_EQ(counter("tasks_redispatched"), 2u);
  EXPECT_EQ(counter("workers_lost"), 2u);
}

// --- covers ---

TEST_F(BrokerTest, AnAssemblerIsSentEverySlotUnderOneSequence) {
  make(small_policy("collage"));
  join_producer(1);
  join_assembler(1);
  submit(1, 5);
  submit(1, 6);
  const auto assigns = received<wire::Assign>(assembler(1));
  ASSERT_THAT(assigns, SizeIs(2));
  EXPECT_EQ(assigns[0].sequence, assigns[1].sequence);
  EXPECT_EQ(assigns[1].slot, 1);
  EXPECT_EQ(counter("collages_outstanding"), 1u);
}

TEST_F(BrokerTest, WithoutAnAssemblerTheBatchGoesUncoveredAndThatIsSaid) {
  make(small_policy("collage"));
  join_producer(1);
  join_sink();
  submit(1, 5);
  EXPECT_FALSE(the<wire::BatchOpened>(kSink).covered);
  EXPECT_EQ(counter("batches_uncovered"), 1u);
  EXPECT_TRUE(noted("go without cover"));
}

TEST_F(BrokerTest, WithoutCollagesInThePolicyNothingIsUncovered) {
  join_producer(1);
  join_assembler(1);
  submit(1, 5);
  EXPECT_THAT(received<wire::Assign>(assembler(1)), IsEmpty());
  EXPECT_EQ(counter("batches_uncovered"), 0u);
}

TEST_F(BrokerTest, AnAssemblerThatIsFullCoversNoMore) {
  make(small_policy("collage"));
  join_producer(1);
  join_assembler(1, 1);
  for (std::uint64_t request = 1; request <= 5; ++request) submit(1, request);
  EXPECT_THAT(received<wire::Assign>(assembler(1)), SizeIs(4));
  EXPECT_EQ(counter("batches_uncovered"), 1u);
}

TEST_F(BrokerTest, CollageTwoCoversEachBatchByTwoAssemblers) {
  make(small_policy("collage-two"));
  join_producer(1);
  join_assembler(1);
  join_assembler(2);
  submit(1, 5);
  EXPECT_THAT(received<wire::Assign>(assembler(1)), SizeIs(1));
  EXPECT_THAT(received<wire::Assign>(assembler(2)), SizeIs(1));
  EXPECT_EQ(counter("batches_uncovered"), 0u);
}

TEST_F(BrokerTest, ALostAssemblerIsSentNothingMore) {
  make(small_policy("collage"));
  join_producer(1);
  join_assembler(1);
  submit(1, 5);
  say(assembler(1), wire::Undelivered{});
  EXPECT_TRUE(noted("lost assembler 00000000 with 1 batches"));
  EXPECT_EQ(counter("workers_lost"), 1u);
  forget();
  submit(1, 6);
  advance(40ms);
  EXPECT_THAT(received<wire::Assign>(assembler(1)), IsEmpty());
  EXPECT_THAT(received<wire::SealCollage>(assembler(1)), IsEmpty());
}

TEST_F(BrokerTest, AWorkerMayNotSettle) {
  join_producer(1);
  join_sink();
  join_worker(1);
  submit(1, 5);
  say(worker(1),
      wire::SlotSettled{batch(1), 0, Source::single, {{{{0}, 1.f}}, Reason::none}, "s1"});
  say(worker(1), wire::ServiceTimes{});
  EXPECT_THAT(results(1, ResultStatus::answered), IsEmpty());
  EXPECT_EQ(counter("bad_messages"), 2u);
}

TEST_F(BrokerTest, WhatTheSinkHasLearnedIsShown) {
  join_sink();
  say(kSink, wire::ServiceTimes{.patience = 250ms, .p95 = 400ms, .p99 = 600ms, .budget = 320ms});
  EXPECT_EQ(counter("patience_ns"), 250'000'000u);
  EXPECT_EQ(counter("service_p95_ns"), 400'000'000u);
  EXPECT_EQ(counter("service_p99_ns"), 600'000'000u);
}

}  // namespace
}  // namespace broker
