#include <algorithm>

#include "tests/broker/broker_fixture.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using wire::Reason;
using wire::ResultStatus;
using wire::Source;

Policy overload_policy(std::string_view redundancy) {
  Policy policy = small_policy(redundancy);
  policy.heartbeat = 1s;
  policy.open_request_max = 100;
  policy.open_bytes_max = 10'000;
  policy.producer_credit = 100;
  return policy;
}

// One s-CNN that takes 100 ms an image: with a patience of 200 ms, a third image that waits is
// overload.  A request is known by the size of its image.
class BrokerOverloadTest : public BrokerTest {
 protected:
  BrokerOverloadTest() { begin(overload_policy("collage")); }
  // Ends at 800 ms, when the broker has learned what the s-CNN can do.
  void begin(Policy policy) {
    make(std::move(policy));
    join_producer(1);
    join_producer(2);
    join_sink();
    join_worker(1, 1);
    for (std::uint64_t request = 81; request <= 88; ++request) {
      send(1, request);
      answer();
    }
    forget();
  }
  void send(std::uint64_t producer_number, std::uint64_t request, wire::Duration remaining = {},
            std::uint64_t latest = 0, wire::Priority priority = wire::Priority::normal) {
    say(producer(producer_number),
        wire::Submit{
            {request}, remaining, wire::Payload(wire::Payload::Bytes(request)), priority, latest});
  }
  void later(wire::Duration d) { advance(now - at(0ms) + d); }
  // The s-CNN answers what it has been given, `d` from now; returns which request that was.
  std::uint64_t answer(wire::Duration d = 100ms) {
    const auto given = the<wire::Assign>(worker(1));
    later(d);
    settle(given.batch, given.slot);
    ready(worker(1), given.sequence.value);
    return given.image.size();
  }
  // Answers these many requests of the line, and returns which they were.
  std::vector<std::uint64_t> answer_all(int count) {
    std::vector<std::uint64_t> requests;
    for (int i = 0; i < count; ++i) requests.push_back(answer());
    return requests;
  }
  // Requests 1 to 3, of which the first is at the s-CNN: one more is overload.
  void fill() {
    for (std::uint64_t request = 1; request <= 3; ++request) send(1, request);
    EXPECT_EQ(counter("overloaded"), 0u);
  }
  static std::vector<std::uint64_t> requests_of(const std::vector<wire::Assign>& tasks) {
    std::vector<std::uint64_t> requests;
    for (const wire::Assign& task : tasks) requests.push_back(task.image.size());
    return requests;
  }
};

TEST_F(BrokerOverloadTest, OverloadBeginsWhenANewImageWouldWaitLongerThanPatience) {
  fill();
  send(1, 4);
  EXPECT_EQ(counter("overloaded"), 1u);
  EXPECT_EQ(counter("overloads"), 1u);
  EXPECT_EQ(counter("requests_waiting"), 3u);
  EXPECT_TRUE(noted("overloaded: more images come"));
}

TEST_F(BrokerOverloadTest, PatienceIsTheSinksOnceItIsKnown) {
  say(kSink, wire::ServiceTimes{.patience = 100ms});
  send(1, 1);
  send(1, 2);
  EXPECT_EQ(counter("overloaded"), 0u);
  send(1, 3);
  EXPECT_EQ(counter("overloaded"), 1u);
}

TEST_F(BrokerOverloadTest, OverloadEndsWhenItHasBeenCalmForAWhile) {
  fill();
  send(1, 4);
  EXPECT_THAT(answer_all(4), ElementsAre(1u, 2u, 3u, 4u));
  EXPECT_EQ(counter("overloaded"), 1u);
  ready(worker(1), 0);
  later(1s);
  EXPECT_EQ(counter("overloaded"), 0u);
  EXPECT_TRUE(noted("not overloaded any more"));
}

TEST_F(BrokerOverloadTest, AnImageThatWouldWaitTooLongIsRefusedWithAHintThatGrowsWithTheLine) {
  Policy policy = overload_policy("collage");
  policy.wait_max = 450ms;
  begin(std::move(policy));
  fill();
  send(1, 4);
  send(1, 5);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  send(1, 6);
  const auto first = the<wire::Result>(producer(1));
  EXPECT_EQ(first.request.value, 6u);
  EXPECT_EQ(first.status, ResultStatus::refused);
  EXPECT_EQ(first.reason, Reason::overloaded);
  EXPECT_NEAR(wire::to_seconds(first.retry_after), 0.4, 0.001);
  send(2, 20);  // Bob's first has its turn before Ann's second.
  EXPECT_THAT(received<wire::Result>(producer(2)), IsEmpty());
  send(1, 6);
  EXPECT_NEAR(wire::to_seconds(the<wire::Result>(producer(1)).retry_after), 0.5, 0.001);
  EXPECT_EQ(counter("refused"), 2u);
}

TEST_F(BrokerOverloadTest, AnImageThatWouldMissItsDeadlineIsRefused) {
  fill();
  send(1, 4, 390ms);  // Three are before it, at 100 ms each.
  EXPECT_EQ(the<wire::Result>(producer(1)).reason, Reason::overloaded);
  send(1, 4, 410ms);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
}

TEST_F(BrokerOverloadTest, NoImageIsRefusedWhileAnSCnnIdles) {
  Policy policy = overload_policy("collage");
  policy.wait_max = 0ms;
  begin(std::move(policy));
  fill();
  send(1, 4);
  EXPECT_EQ(the<wire::Result>(producer(1)).reason, Reason::overloaded);
  answer_all(3);
  forget();
  EXPECT_EQ(counter("overloaded"), 1u);
  send(1, 5);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(the<wire::Assign>(worker(1)).image.size(), 5u);
}

TEST_F(BrokerOverloadTest, NoImageIsRefusedWhileACollageStageIdles) {
  Policy policy = overload_policy("collage");
  policy.wait_max = 0ms;
  begin(std::move(policy));
  fill();
  join_assembler(1);
  send(1, 4);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_THAT(requests_of(received<wire::Assign>(assembler(1))), ElementsAre(4u));
  send(1, 5);  // Now it is busy.
  EXPECT_EQ(the<wire::Result>(producer(1)).reason, Reason::overloaded);
}

TEST_F(BrokerOverloadTest, AWaitingImageGoesToTheFirstFreeSCnnInABatchOfItsOwn) {
  fill();
  send(1, 4);
  EXPECT_THAT(answer_all(3), ElementsAre(1u, 2u, 3u));
  EXPECT_EQ(counter("requests_waiting"), 0u);
  const auto given = the<wire::Assign>(worker(1));
  EXPECT_EQ(given.image.size(), 4u);
  EXPECT_EQ(given.age, 300ms);
  EXPECT_EQ(given.remaining, 700ms);
  const auto sealed = received<wire::BatchSealed>(kSink);
  ASSERT_FALSE(sealed.empty());
  EXPECT_EQ(sealed.back().batch, given.batch);
  EXPECT_THAT(sealed.back().ages, ElementsAre(300ms));
  EXPECT_FALSE(sealed.back().collage_only);
  settle(given.batch, given.slot);
  const auto results = received<wire::Result>(producer(1));
  ASSERT_THAT(results, SizeIs(4));
  EXPECT_EQ(results.back().source, Source::single);
  EXPECT_FALSE(results.back().brownout);
}

TEST_F(BrokerOverloadTest, AnotherSCnnThatJoinsTakesFromTheLine) {
  fill();
  send(1, 4);
  send(1, 5);
  join_worker(2, 3);
  EXPECT_THAT(requests_of(received<wire::Assign>(worker(2))), ElementsAre(2u, 3u, 4u));
}

TEST_F(BrokerOverloadTest, UnderBrownoutAsManyImagesAsACollageHoldsGoToAnIdleAssembler) {
  fill();
  for (std::uint64_t request = 4; request <= 8; ++request) send(1, request);
  received<wire::BatchOpened>(kSink);
  received<wire::BatchSealed>(kSink);
  join_assembler(1);
  const auto tasks = received<wire::Assign>(assembler(1));
  EXPECT_THAT(requests_of(tasks), ElementsAre(4u, 5u, 6u, 7u));
  EXPECT_EQ(the<wire::SealCollage>(assembler(1)).filled, 4);
  EXPECT_TRUE(the<wire::BatchOpened>(kSink).covered);
  const auto sealed = the<wire::BatchSealed>(kSink);
  EXPECT_TRUE(sealed.collage_only);
  EXPECT_THAT(sealed.ages, SizeIs(4));
  EXPECT_EQ(counter("requests_waiting"), 3u);  // 2, 3 and 8.
  settle(sealed.batch, 2, Source::collage);
  const auto result = the<wire::Result>(producer(1));
  EXPECT_EQ(result.request.value, 6u);
  EXPECT_EQ(result.source, Source::collage);
  EXPECT_TRUE(result.brownout);
  EXPECT_EQ(counter("answered_brownout"), 1u);
}

TEST_F(BrokerOverloadTest, AnIdleAssemblerDoesNotWaitForAFullCollage) {
  fill();
  join_assembler(1);
  send(1, 4);
  EXPECT_THAT(requests_of(received<wire::Assign>(assembler(1))), ElementsAre(4u));
  EXPECT_EQ(the<wire::SealCollage>(assembler(1)).filled, 1);
  send(1, 5);
  send(1, 6);
  EXPECT_THAT(received<wire::Assign>(assembler(1)), IsEmpty());
  ready(assembler(1), 1'000);
  EXPECT_THAT(requests_of(received<wire::Assign>(assembler(1))), ElementsAre(5u, 6u));
}

// Request 4 is at the s-CNN from 1100 ms on, and the assembler idles.
class BrokerLateTest : public BrokerOverloadTest {
 protected:
  BrokerLateTest() {
    Policy policy = overload_policy("collage");
    policy.deadline = 2s;
    begin(std::move(policy));
    fill();
    send(1, 4);
    answer_all(3);
    single = the<wire::Assign>(worker(1));
    join_assembler(1);
    forget();
    later(199ms);
    EXPECT_THAT(received<wire::Assign>(assembler(1)), IsEmpty());
    later(1ms);
    collage = the<wire::Assign>(assembler(1));
    EXPECT_TRUE(the<wire::BatchSealed>(kSink).collage_only);
  }
  wire::Assign single, collage;
};

TEST_F(BrokerLateTest, AFavouredImageWhoseSCnnTakesLongerThanPatienceJoinsTheNextCollage) {
  EXPECT_EQ(collage.image.size(), 4u);
  EXPECT_NE(collage.batch, single.batch);
  EXPECT_EQ(the<wire::SealCollage>(assembler(1)).filled, 1);
}

TEST_F(BrokerLateTest, ItIsAnsweredOnceIfTheSCnnIsFirst) {
  settle(single.batch, single.slot);
  const auto result = the<wire::Result>(producer(1));
  EXPECT_EQ(result.request.value, 4u);
  EXPECT_EQ(result.source, Source::single);
  EXPECT_EQ(received<wire::BatchSettled>(kSink).size(), 2u);
  EXPECT_EQ(the<wire::DropCollage>(assembler(1)).batch, collage.batch);
  settle(collage.batch, collage.slot, Source::collage);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("settled_twice"), 1u);
  EXPECT_EQ(counter("requests_open"), 0u);
}

TEST_F(BrokerLateTest, ItIsAnsweredOnceIfTheCollageIsFirst) {
  settle(collage.batch, collage.slot, Source::collage);
  const auto result = the<wire::Result>(producer(1));
  EXPECT_EQ(result.request.value, 4u);
  EXPECT_EQ(result.source, Source::collage);
  EXPECT_FALSE(result.brownout);  // An s-CNN had been asked.
  EXPECT_EQ(received<wire::BatchSettled>(kSink).size(), 2u);
  settle(single.batch, single.slot);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("settled_twice"), 1u);
  EXPECT_EQ(counter("batches_open"), 0u);
}

TEST_F(BrokerOverloadTest, ASecondSCnnThatHasItQueuedIsToldOfTheAnswer) {
  begin(overload_policy("collage-hedge"));
  fill();
  send(1, 4);
  send(1, 5);
  answer_all(4);
  const auto single = the<wire::Assign>(worker(1));  // Of request 5, which is not favoured.
  join_assembler(1);
  later(300ms);
  EXPECT_THAT(requests_of(received<wire::Assign>(assembler(1))), ElementsAre(5u));
  join_worker(2, 2);
  send(1, 6);
  later(200ms);  // The collage is late too.
  const auto tasks = received<wire::Assign>(worker(2));
  ASSERT_THAT(requests_of(tasks), ElementsAre(6u, 5u));
  settle(single.batch, single.slot);
  EXPECT_EQ(the<wire::Withdraw>(worker(2)).sequence, tasks[1].sequence);
}

TEST_F(BrokerLateTest, ItIsAnsweredOnceIfNeitherIsInTime) {
  later(2s);
  EXPECT_THAT(results(1, ResultStatus::missing), ElementsAre(4u));
  settle(single.batch, single.slot);
  settle(collage.batch, collage.slot, Source::collage);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("batches_open"), 0u);
}

TEST_F(BrokerOverloadTest, AnImageThatIsNotFavouredMayTakeHalfAsLongAgain) {
  fill();
  send(1, 4);
  send(1, 5);  // Its producer has another that waits.
  answer_all(4);
  join_assembler(1);
  later(299ms);
  EXPECT_THAT(received<wire::Assign>(assembler(1)), IsEmpty());
  later(1ms);
  EXPECT_THAT(requests_of(received<wire::Assign>(assembler(1))), ElementsAre(5u));
}

TEST_F(BrokerOverloadTest, ALateImageGoesIntoTheCollageBeforeThoseThatWait) {
  fill();
  send(1, 4);
  answer_all(3);
  join_assembler(1, 1);
  send(1, 5);  // The assembler idles.
  for (std::uint64_t request = 6; request <= 9; ++request) send(1, request);
  later(300ms);
  EXPECT_THAT(requests_of(received<wire::Assign>(assembler(1))), ElementsAre(5u));
  ready(assembler(1), 1'000);
  EXPECT_THAT(requests_of(received<wire::Assign>(assembler(1))), ElementsAre(4u, 6u, 7u, 8u));
}

TEST_F(BrokerOverloadTest, ALateImageGoesToAnotherSCnnIfOneIdles) {
  begin(overload_policy("collage-hedge"));
  fill();
  send(1, 4);
  answer_all(3);
  join_assembler(1);
  join_worker(2, 1);
  later(300ms);
  const auto second = the<wire::Assign>(worker(2));
  EXPECT_EQ(second.image.size(), 4u);
  EXPECT_TRUE(second.hedge);
  EXPECT_THAT(received<wire::Assign>(assembler(1)), IsEmpty());
}

TEST_F(BrokerOverloadTest, TheImagesOfALostAssemblerGoToSCnnsFirst) {
  fill();
  for (std::uint64_t request = 4; request <= 8; ++request) send(1, request);
  join_assembler(1);
  say(assembler(1), wire::Undelivered{});
  EXPECT_EQ(counter("rescued"), 4u);
  EXPECT_EQ(answer(50ms), 1u);
  std::vector<std::uint64_t> rescued;
  for (int i = 0; i < 4; ++i) rescued.push_back(answer(50ms));
  EXPECT_THAT(rescued, ElementsAre(4u, 5u, 6u, 7u));
  EXPECT_EQ(answer(50ms), 2u);
}

TEST_F(BrokerOverloadTest, TheImagesOfALateCollageGoToSCnnsFirst) {
  fill();
  for (std::uint64_t request = 4; request <= 7; ++request) send(1, request);
  join_assembler(1);
  later(199ms);  // Until hedge_after, for no collage has been seen yet.
  EXPECT_EQ(counter("rescued"), 0u);
  later(1ms);
  EXPECT_EQ(counter("rescued"), 4u);
  EXPECT_EQ(answer(50ms), 1u);
  std::vector<std::uint64_t> rescued;
  for (int i = 0; i < 4; ++i) rescued.push_back(answer(50ms));
  EXPECT_THAT(rescued, ElementsAre(4u, 5u, 6u, 7u));
  EXPECT_EQ(answer(50ms), 2u);
}

TEST_F(BrokerOverloadTest, ProducersShareByTurns) {
  fill();
  for (std::uint64_t request = 4; request <= 6; ++request) send(1, request);
  send(2, 20);
  send(2, 21);
  EXPECT_THAT(answer_all(8), ElementsAre(1u, 2u, 3u, 4u, 20u, 5u, 21u, 6u));
}

TEST_F(BrokerOverloadTest, AHigherPriorityGoesFirst) {
  fill();
  send(1, 4);
  send(1, 5, {}, 0, wire::Priority::high);
  EXPECT_THAT(answer_all(5), ElementsAre(1u, 2u, 3u, 5u, 4u));
}

TEST_F(BrokerOverloadTest, ANewerFrameSupersedesTheWaitingOnesOfItsProducerAndStreamAlone) {
  fill();
  send(1, 4, {}, 7);
  send(1, 5, {}, 8);
  send(1, 6);
  send(2, 20, {}, 7);
  EXPECT_THAT(results(1, ResultStatus::superseded), IsEmpty());
  send(1, 9, {}, 7);
  EXPECT_THAT(results(1, ResultStatus::superseded), ElementsAre(4u));
  send(1, 10);  // No stream: it supersedes nothing.
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_THAT(received<wire::Result>(producer(2)), IsEmpty());
  EXPECT_EQ(counter("superseded"), 1u);
  EXPECT_EQ(counter("requests_waiting"), 7u);
}

TEST_F(BrokerOverloadTest, AFrameThatAStageHasIsNotSuperseded) {
  fill();
  send(1, 4, {}, 7);
  answer_all(3);
  send(1, 5, {}, 7);
  EXPECT_THAT(results(1, ResultStatus::superseded), IsEmpty());
  EXPECT_THAT(answer_all(2), ElementsAre(4u, 5u));
}

TEST_F(BrokerOverloadTest, UnderRefuseCollagesStayCover) {
  Policy policy = overload_policy("collage");
  policy.brownout = false;
  begin(std::move(policy));
  fill();
  send(1, 4);
  send(1, 5);
  later(50ms);  // The batch of the first three is sealed.
  received<wire::BatchSealed>(kSink);
  join_assembler(1);
  EXPECT_EQ(counter("overloaded"), 1u);
  EXPECT_THAT(received<wire::Assign>(assembler(1)), IsEmpty());
  EXPECT_THAT(answer_all(3), ElementsAre(1u, 2u, 3u));
  const auto single = the<wire::Assign>(worker(1));
  const auto cover = the<wire::Assign>(assembler(1));
  EXPECT_EQ(single.image.size(), 4u);
  EXPECT_EQ(cover.batch, single.batch);
  EXPECT_EQ(cover.slot, single.slot);
  later(40ms);
  EXPECT_FALSE(the<wire::BatchSealed>(kSink).collage_only);
}

TEST_F(BrokerOverloadTest, ACancelledImageLeavesTheLine) {
  fill();
  send(1, 4);
  send(1, 5);
  cancel(1, 4);
  EXPECT_THAT(results(1, ResultStatus::cancelled), ElementsAre(4u));
  EXPECT_EQ(counter("requests_waiting"), 3u);
  EXPECT_THAT(answer_all(4), ElementsAre(1u, 2u, 3u, 5u));
  EXPECT_EQ(counter("requests_open"), 0u);
}

TEST_F(BrokerOverloadTest, AnExpiredImageLeavesTheLine) {
  fill();
  send(1, 4, 450ms);
  send(1, 5);
  later(450ms);
  EXPECT_THAT(results(1, ResultStatus::missing), ElementsAre(4u));
  EXPECT_EQ(counter("requests_waiting"), 3u);
  EXPECT_THAT(answer_all(4), ElementsAre(1u, 2u, 3u, 5u));
}

TEST_F(BrokerOverloadTest, AnImageThatNoStageCouldAnswerInTimeIsNotBegun) {
  fill();
  send(1, 4, 450ms);
  send(1, 5);
  answer_all(2);
  answer(220ms);  // Now 4 has 30 ms left, of the 50 that half a task takes.
  EXPECT_THAT(results(1, ResultStatus::missing), ElementsAre(4u));
  EXPECT_EQ(answer(), 5u);
}

TEST_F(BrokerOverloadTest, ADrainEndsTheImagesThatWait) {
  fill();
  send(1, 4);
  send(2, 20);
  say(machine::kLocal, wire::Drain{});
  EXPECT_FALSE(finished);
  later(500ms);
  EXPECT_TRUE(finished);
  EXPECT_THAT(results(1, ResultStatus::missing), UnorderedElementsAre(1u, 2u, 3u, 4u));
  EXPECT_THAT(results(2, ResultStatus::missing), ElementsAre(20u));
}

TEST_F(BrokerOverloadTest, ADrainingBrokerGoesOnServingTheLine) {
  fill();
  send(1, 4);
  say(machine::kLocal, wire::Drain{});
  EXPECT_THAT(answer_all(3), ElementsAre(1u, 2u, 3u));
  const auto last = the<wire::Assign>(worker(1));
  EXPECT_EQ(last.image.size(), 4u);
  settle(last.batch, last.slot);
  EXPECT_TRUE(finished);
  EXPECT_EQ(counter("missing"), 0u);
}

}  // namespace
}  // namespace broker
