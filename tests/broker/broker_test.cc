#include "broker/broker.h"

#include "tests/broker/broker_fixture.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Reason;
using wire::ResultStatus;
using wire::Source;

Reason refusal(const std::vector<wire::Result>& results) {
  EXPECT_THAT(results, SizeIs(1));
  if (results.size() != 1) return Reason::none;
  EXPECT_EQ(results[0].status, ResultStatus::refused);
  EXPECT_EQ(results[0].retry_after, 30ms);
  return results[0].reason;
}

// --- admission ---

TEST_F(BrokerTest, AProducerIsWelcomedWithItsCreditAndTheLimits) {
  join_producer(1);
  const auto welcome = the<wire::Welcome>(producer(1));
  EXPECT_EQ(welcome.epoch, kEpoch);
  EXPECT_EQ(welcome.heartbeat, 100ms);
  EXPECT_EQ(welcome.credit, 6u);
  EXPECT_EQ(welcome.image_bytes_max, 100u);
  EXPECT_EQ(welcome.deadline_max, 1s);
  EXPECT_EQ(counter("producers"), 1u);
}

TEST_F(BrokerTest, AtProducerMaxAFurtherOneIsRefused) {
  join_producer(1);
  join_producer(2);
  join_producer(3);
  EXPECT_EQ(the<wire::Refuse>(producer(3)).reason, Reason::too_many_peers);
  EXPECT_EQ(counter("producers_refused"), 1u);
  EXPECT_THAT(received<wire::Welcome>(producer(3)), IsEmpty());
  EXPECT_EQ(counter("producers"), 2u);
}

TEST_F(BrokerTest, AnUnknownProducersImageIsRefused) {
  submit(1, 5);
  EXPECT_EQ(refusal(received<wire::Result>(producer(1))), Reason::unknown_producer);
  EXPECT_EQ(counter("refused"), 1u);
  EXPECT_EQ(counter("requests_admitted"), 0u);
}

TEST_F(BrokerTest, AnImageOverTheLimitIsRefusedAndOneAtItIsNot) {
  join_producer(1);
  submit(1, 5, 101);
  EXPECT_EQ(refusal(received<wire::Result>(producer(1))), Reason::image_too_large);
  submit(1, 6, 100);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("requests_admitted"), 1u);
}

TEST_F(BrokerTest, ARequestThatIsOpenIsNotAdmittedTwice) {
  join_producer(1);
  submit(1, 5);
  submit(1, 5);
  EXPECT_EQ(refusal(received<wire::Result>(producer(1))), Reason::duplicate_request);
  EXPECT_EQ(counter("requests_open"), 1u);
}

TEST_F(BrokerTest, OneProducersIdsAreNotAnothers) {
  join_producer(1);
  join_producer(2);
  submit(1, 5);
  submit(2, 5);
  EXPECT_EQ(counter("requests_open"), 2u);
}

TEST_F(BrokerTest, AProducerBeyondItsCreditIsRefused) {
  join_producer(1);
  for (std::uint64_t request = 1; request <= 7; ++request) submit(1, request);
  EXPECT_EQ(refusal(received<wire::Result>(producer(1))), Reason::no_credit);
  EXPECT_EQ(counter("requests_open"), 6u);
}

TEST_F(BrokerTest, AtOpenRequestMaxEveryoneIsRefused) {
  join_producer(1);
  join_producer(2);
  for (std::uint64_t request = 1; request <= 6; ++request) submit(1, request);
  for (std::uint64_t request = 1; request <= 3; ++request) submit(2, request);
  EXPECT_EQ(refusal(received<wire::Result>(producer(2))), Reason::full);
  EXPECT_EQ(counter("requests_open"), 8u);
}

TEST_F(BrokerTest, AtOpenBytesMaxEveryoneIsRefused) {
  join_producer(1);
  for (std::uint64_t request = 1; request <= 4; ++request) submit(1, request, 100);
  submit(1, 5, 1);
  EXPECT_EQ(refusal(received<wire::Result>(producer(1))), Reason::full);
  EXPECT_EQ(counter("image_bytes_open"), 400u);
}

TEST_F(BrokerTest, ARefusalLeavesRoomForTheNext) {
  join_producer(1);
  join_sink();
  for (std::uint64_t request = 1; request <= 7; ++request) submit(1, request);
  settle(batch(1), 0);
  forget();
  submit(1, 7);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("requests_open"), 6u);
}

// --- batches ---

TEST_F(BrokerTest, AnImageIsDispatchedOnArrivalWithWhatIsLeftOfItsTime) {
  join_producer(1);
  join_worker(1);
  advance(300ms);
  submit(1, 5);
  const auto assign = the<wire::Assign>(worker(1));
  EXPECT_EQ(assign.batch, batch(1));
  EXPECT_EQ(assign.slot, 0);
  EXPECT_EQ(assign.sequence.value, 1u);
  EXPECT_EQ(assign.age, 0ms);
  EXPECT_EQ(assign.remaining, 1s);
  EXPECT_FALSE(assign.hedge);
}

TEST_F(BrokerTest, WorkerAndAssemblerShareTheProducersBytes) {
  make(small_policy("collage"));
  join_producer(1);
  join_worker(1);
  join_assembler(1);
  const wire::Payload image(wire::Payload::Bytes(10));
  say(producer(1), wire::Submit{{5}, {}, image});
  EXPECT_EQ(the<wire::Assign>(worker(1)).image.bytes().data(), image.bytes().data());
  EXPECT_EQ(the<wire::Assign>(assembler(1)).image.bytes().data(), image.bytes().data());
}

TEST_F(BrokerTest, AFullGridIsSealedAndTheNextImageOpensAnotherBatch) {
  make(small_policy("collage"));
  join_producer(1);
  join_assembler(1);
  join_sink();
  for (std::uint64_t request = 1; request <= 4; ++request) submit(1, request);
  EXPECT_EQ(the<wire::SealCollage>(assembler(1)).filled, 4);
  EXPECT_THAT(the<wire::BatchSealed>(kSink).ages, SizeIs(4));
  EXPECT_THAT(received<wire::BatchOpened>(kSink), SizeIs(1));
  submit(1, 5);
  EXPECT_EQ(the<wire::BatchOpened>(kSink).batch, batch(2));
  EXPECT_EQ(counter("batches"), 2u);
}

TEST_F(BrokerTest, APartialBatchIsSealedWhenItsLingerIsOver) {
  make(small_policy("collage"));
  join_producer(1);
  join_assembler(1);
  join_sink();
  submit(1, 1);
  advance(25ms);
  submit(1, 2);
  advance(39ms);
  EXPECT_THAT(received<wire::SealCollage>(assembler(1)), IsEmpty());
  advance(40ms);
  const auto seal = the<wire::SealCollage>(assembler(1));
  EXPECT_EQ(seal.batch, batch(1));
  EXPECT_EQ(seal.filled, 2);
  EXPECT_THAT(the<wire::BatchSealed>(kSink).ages, ElementsAre(40ms, 15ms));
}

TEST_F(BrokerTest, ABatchIsClosedOnceSealedAndSettled) {
  make(small_policy("collage"));
  join_producer(1);
  join_assembler(1);
  join_sink();
  submit(1, 1);
  settle(batch(1), 0);
  EXPECT_THAT(received<wire::BatchSettled>(kSink), IsEmpty());  // It may still grow.
  advance(40ms);
  EXPECT_EQ(the<wire::BatchSettled>(kSink).batch, batch(1));
  EXPECT_EQ(the<wire::DropCollage>(assembler(1)).batch, batch(1));
  EXPECT_EQ(counter("batches_open"), 0u);
}

// --- answers ---

TEST_F(BrokerTest, AnAnswerReachesItsProducerWithNamesSourceAndLatency) {
  join_producer(1);
  join_sink();
  submit(1, 5);
  advance(30ms);
  settle(batch(1), 0, Source::single, {{{{1}, 0.75f}, {{0}, 0.25f}}, Reason::none});
  const auto result = the<wire::Result>(producer(1));
  EXPECT_EQ(result.request.value, 5u);
  EXPECT_EQ(result.status, ResultStatus::answered);
  EXPECT_EQ(result.source, Source::single);
  EXPECT_EQ(result.latency, 30ms);
  EXPECT_EQ(result.version, "v1");
  EXPECT_THAT(result.predictions, ElementsAre(wire::NamedPrediction{"dog", {{1}, 0.75f}},
                                              wire::NamedPrediction{"cat", {{0}, 0.25f}}));
}

TEST_F(BrokerTest, EverySourceHasItsCounter) {
  join_producer(1);
  join_sink();
  for (std::uint64_t request = 1; request <= 4; ++request) submit(1, request);
  settle(batch(1), 0, Source::single);
  settle(batch(1), 1, Source::collage);
  settle(batch(1), 2, Source::hedge);
  settle(batch(1), 3, Source::single, {{}, Reason::not_an_image});
  EXPECT_EQ(counter("answered_single"), 1u);
  EXPECT_EQ(counter("answered_collage"), 1u);
  EXPECT_EQ(counter("answered_hedge"), 1u);
  EXPECT_EQ(counter("rejected"), 1u);
  EXPECT_EQ(counter("requests_open"), 0u);
}

TEST_F(BrokerTest, ARejectedImageIsAnsweredWithItsReason) {
  join_producer(1);
  join_sink();
  submit(1, 5);
  settle(batch(1), 0, Source::single, {{}, Reason::truncated_image});
  const auto result = the<wire::Result>(producer(1));
  EXPECT_EQ(result.status, ResultStatus::rejected);
  EXPECT_EQ(result.reason, Reason::truncated_image);
}

TEST_F(BrokerTest, OnlyTheFirstAnswerCounts) {
  join_producer(1);
  join_sink();
  submit(1, 5);
  settle(batch(1), 0);
  settle(batch(1), 0, Source::collage);
  EXPECT_THAT(results(1, ResultStatus::answered), ElementsAre(5u));
  EXPECT_EQ(counter("settled_twice"), 1u);
}

TEST_F(BrokerTest, AnAnswerOfAnotherEpochIsStale) {
  join_producer(1);
  join_sink();
  submit(1, 5);
  settle({{kEpoch.value + 1}, {1}}, 0);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("settled_stale"), 1u);
}

TEST_F(BrokerTest, AnAnswerForNoSlotOrNoBatchIsCountedAndDropped) {
  join_producer(1);
  join_sink();
  submit(1, 5);
  settle(batch(9), 0);
  settle(batch(1), 1);  // Blank.
  EXPECT_EQ(counter("settled_twice"), 2u);
  settle(batch(1), 4);  // Off the grid.
  EXPECT_EQ(counter("settled_bad"), 1u);
  EXPECT_EQ(counter("requests_open"), 1u);
}

TEST_F(BrokerTest, AnUnlawfulAnswerIsCountedAndDropped) {
  join_producer(1);
  join_sink();
  submit(1, 5);
  settle(batch(1), 0, Source::none);
  settle(batch(1), 0, Source::single, {{}, Reason::none});
  settle(batch(1), 0, Source::single, {{{{2}, 0.9f}}, Reason::none});  // No such class.
  EXPECT_EQ(counter("settled_bad"), 3u);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
}

TEST_F(BrokerTest, AtItsDeadlineARequestIsAnsweredMissing) {
  join_producer(1);
  join_worker(1);
  join_sink();
  submit(1, 5);
  advance(999ms);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  advance(1s);
  const auto result = the<wire::Result>(producer(1));
  EXPECT_EQ(result.status, ResultStatus::missing);
  EXPECT_EQ(result.reason, wire::Reason::no_answer);
  EXPECT_EQ(result.latency, 1s);
  EXPECT_EQ(counter("missing"), 1u);
  EXPECT_EQ(counter("batches_open"), 0u);
  settle(batch(1), 0);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
}

TEST_F(BrokerTest, AProducerMayAskForAShorterDeadlineAndNotForALonger) {
  join_producer(1);
  submit(1, 5, 10, 300ms);
  submit(1, 6, 10, 20s);
  advance(300ms);
  EXPECT_THAT(results(1, ResultStatus::missing), ElementsAre(5u));
  advance(1s);
  EXPECT_THAT(results(1, ResultStatus::missing), ElementsAre(6u));
}

TEST_F(BrokerTest, WithoutASinkEveryRequestIsMissingAtItsDeadline) {
  join_producer(1);
  join_worker(1);
  submit(1, 5);
  EXPECT_THAT(received<wire::Assign>(worker(1)), SizeIs(1));
  advance(1s);
  const auto result = the<wire::Result>(producer(1));
  EXPECT_EQ(result.status, ResultStatus::missing);
  EXPECT_EQ(result.reason, wire::Reason::no_sink);
}

TEST_F(BrokerTest, WithoutAWorkerEveryRequestIsMissingAtItsDeadline) {
  join_producer(1);
  join_sink();
  submit(1, 5);
  EXPECT_EQ(counter("requests_waiting"), 1u);
  advance(1s);
  const auto result = the<wire::Result>(producer(1));
  EXPECT_EQ(result.status, ResultStatus::missing);
  EXPECT_EQ(result.reason, wire::Reason::no_stage);
}

TEST_F(BrokerTest, AnImageThatNoStageHadTimeForIsMissingBecauseOfOverload) {
  join_producer(1);
  join_worker(1, 1);
  join_sink();
  submit(1, 5);
  submit(1, 6);
  advance(1s);
  const auto all = received<wire::Result>(producer(1));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].reason, wire::Reason::no_answer);
  EXPECT_EQ(all[1].reason, wire::Reason::overloaded);
}

TEST_F(BrokerTest, AnImageOfACollageThatDoesNotAnswerHadAStage) {
  make(small_policy("collage"));
  join_producer(1);
  join_assembler(1);
  join_sink();
  submit(1, 5);
  advance(1s);
  EXPECT_EQ(the<wire::Result>(producer(1)).reason, wire::Reason::no_answer);
}

TEST_F(BrokerTest, TheLineIsNeverLongerThanWhatIsOpen) {
  join_producer(1);
  for (std::uint64_t request = 1; request <= 50; ++request) {
    join_producer(1);
    submit(1, request);
    advance(now.since_start + 1s);
  }
  EXPECT_EQ(counter("missing"), 50u);
  EXPECT_EQ(counter("requests_waiting"), 0u);
}

// --- producers that go ---

TEST_F(BrokerTest, AProducerThatDisappearsHarmsNobody) {
  join_producer(1);
  join_producer(2);
  join_sink();
  submit(1, 5);
  submit(2, 6);
  say(producer(1), wire::Undelivered{});
  settle(batch(1), 0);
  settle(batch(1), 1);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_THAT(results(2, ResultStatus::answered), ElementsAre(6u));
  EXPECT_EQ(counter("results_undelivered"), 2u);  // The driver's word, and our own.
  EXPECT_EQ(counter("requests_open"), 0u);
}

TEST_F(BrokerTest, AProducerThatReconnectsGetsItsResultsThere) {
  join_producer(1);
  join_sink();
  submit(1, 5);
  say(producer(8), wire::ProducerHello{{1, 1}});
  settle(batch(1), 0);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_THAT(results(8, ResultStatus::answered), ElementsAre(5u));
}

TEST_F(BrokerTest, AProducerOnANewConnectionIsAskedToSendAgainWhatMayBeLost) {
  join_producer(1);
  EXPECT_THAT(received<wire::Refuse>(producer(1)), IsEmpty());
  say(producer(8), wire::ProducerHello{{1, 1}});
  EXPECT_THAT(received<wire::Refuse>(producer(8)), SizeIs(1));
  EXPECT_THAT(received<wire::Welcome>(producer(8)), SizeIs(1));
  say(producer(8), wire::ProducerHello{{1, 1}});
  EXPECT_THAT(received<wire::Refuse>(producer(8)), IsEmpty());
}

TEST_F(BrokerTest, ASilentProducerMakesRoomForAnother) {
  join_producer(1);
  join_producer(2);
  advance(500ms);
  join_producer(3);
  EXPECT_THAT(received<wire::Welcome>(producer(3)), SizeIs(1));
  EXPECT_EQ(counter("producers"), 1u);
}

// --- drain ---

TEST_F(BrokerTest, ADrainingBrokerSealsRefusesAndFinishesWithItsLastAnswer) {
  make(small_policy("collage"));
  join_producer(1);
  join_assembler(1);
  join_sink();
  submit(1, 5);
  say(machine::kLocal, wire::Drain{});
  EXPECT_FALSE(finished);
  EXPECT_EQ(the<wire::SealCollage>(assembler(1)).filled, 1);
  submit(1, 6);
  EXPECT_EQ(refusal(received<wire::Result>(producer(1))), Reason::draining);
  settle(batch(1), 0);
  EXPECT_TRUE(finished);
  EXPECT_THAT(results(1, ResultStatus::answered), ElementsAre(5u));
}

TEST_F(BrokerTest, AnIdleBrokerIsDrainedAtOnce) {
  say(machine::kLocal, wire::Drain{});
  EXPECT_TRUE(finished);
}

TEST_F(BrokerTest, DrainingEndsWithMissingWhenItsTimeIsOver) {
  join_producer(1);
  submit(1, 5);
  submit(1, 6);
  say(machine::kLocal, wire::Drain{});
  advance(100ms);
  say(machine::kLocal, wire::Drain{});  // Again: changes nothing.
  advance(499ms);
  EXPECT_FALSE(finished);
  advance(500ms);
  EXPECT_TRUE(finished);
  EXPECT_THAT(results(1, ResultStatus::missing), ElementsAre(5u, 6u));
}

// --- the rest ---

TEST_F(BrokerTest, APeerThatTalksNonsenseIsRefusedAndCounted) {
  say(producer(1), wire::Undecodable{Reason::bad_message});
  EXPECT_EQ(the<wire::Refuse>(producer(1)).reason, Reason::bad_message);
  say(producer(1), wire::Undecodable{Reason::wrong_protocol});
  EXPECT_EQ(the<wire::Refuse>(producer(1)).reason, Reason::wrong_protocol);
  EXPECT_EQ(counter("bad_messages"), 2u);
}

TEST_F(BrokerTest, EachLinkTakesOnlyItsOwnMessages) {
  say(worker(1), wire::ProducerHello{});
  say(worker(1), wire::Submit{});
  say(producer(1), wire::WorkerHello{});
  say(producer(1), wire::Ready{});
  say(producer(1), wire::SlotSettled{});
  say(producer(1), wire::Assign{});
  EXPECT_EQ(counter("bad_messages"), 6u);
  EXPECT_THAT(received<wire::Refuse>(worker(1)), SizeIs(2));
  for (const auto& refuse : received<wire::Refuse>(producer(1))) {
    EXPECT_EQ(refuse.reason, Reason::wrong_role);
  }
}

TEST_F(BrokerTest, ARefusalIsNeverAnswered) {
  say(producer(1), wire::Refuse{Reason::wrong_protocol});
  EXPECT_THAT(received<wire::Refuse>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("bad_messages"), 1u);
}

TEST_F(BrokerTest, AStatusRequestIsAnsweredWithEveryCounterOnEitherLink) {
  say(producer(3), wire::StatusRequest{});
  say(worker(3), wire::StatusRequest{});
  EXPECT_EQ(the<wire::Status>(producer(3)).counters, broker->status().counters);
  EXPECT_EQ(the<wire::Status>(worker(3)).counters, broker->status().counters);
}

}  // namespace
}  // namespace broker
