#include <algorithm>

#include "tests/broker/overload_fixture.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using wire::Reason;
using wire::ResultStatus;
using wire::Source;

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

TEST_F(BrokerOverloadTest, ADeadlineBelowRetryAfterShortensNoHint) {
  Policy policy = overload_policy("none");
  policy.deadline = 250ms;
  policy.retry_after = 300ms;
  begin(std::move(policy));
  say(kSink, wire::ServiceTimes{.patience = 1s});
  for (std::uint64_t request = 1; counter("overloaded") == 0; ++request) send(1, request);
  EXPECT_GT(counter("requests_waiting"), 3u);  // They wait for longer than a deadline.
  EXPECT_EQ(the<wire::Result>(producer(1)).retry_after, 300ms);
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

// No collage stage was looked for.
TEST_F(BrokerOverloadTest, ASingleUnderBrownoutIsNoBatchWithoutCover) {
  fill();
  send(1, 4);
  EXPECT_EQ(counter("overloaded"), 1u);
  const std::uint64_t before = counter("batches_uncovered");
  EXPECT_THAT(answer_all(4), ElementsAre(1u, 2u, 3u, 4u));
  EXPECT_EQ(counter("batches_uncovered"), before);
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

// All are favoured, and the s-CNN could take ten of them within half of its patience.
TEST_F(BrokerOverloadTest, ACollageTakesNoMoreFavouredImagesThanItHasSlots) {
  Policy policy = overload_policy("collage");
  policy.hedge_after = 2s;
  policy.deadline = policy.wait_max = 60s;
  begin(std::move(policy));
  int sent = 0;
  while (counter("overloaded") == 0) send(1, static_cast<std::uint64_t>(++sent));
  for (std::uint64_t request = 50; request <= 57; ++request) {
    send(2, request, {}, 0, wire::Priority::high);
  }
  answer_all(sent - 1);  // Those that wait from before the overload.
  join_assembler(1);
  EXPECT_THAT(requests_of(received<wire::Assign>(assembler(1))), ElementsAre(51u, 52u, 53u, 54u));
  EXPECT_EQ(the<wire::SealCollage>(assembler(1)).filled, 4);
  EXPECT_EQ(counter("requests_open"), 9u);
}

TEST_F(BrokerOverloadTest, ProducersShareByTurns) {
  fill();
  for (std::uint64_t request = 4; request <= 6; ++request) send(1, request);
  send(2, 20);
  send(2, 21);
  EXPECT_THAT(answer_all(8), ElementsAre(1u, 2u, 3u, 4u, 20u, 5u, 21u, 6u));
}

// Two producers keep the line full; of 25 images the one of weight 4 gets 20.
TEST_F(BrokerOverloadTest, SharesUnderAFloodFollowTheWeightsOfKeys) {
  Policy policy = overload_policy("none");
  policy.weights = {{"cameras", 4}};
  policy.deadline = 60s;
  policy.wait_max = 60s;
  begin(std::move(policy));
  say(producer(2), wire::Authenticated{"cameras"});
  join_producer(2);
  fill();
  for (std::uint64_t request = 4; request <= 40; ++request) send(1, request);
  for (std::uint64_t request = 41; request <= 70; ++request) send(2, request);
  answer_all(3);
  const auto order = answer_all(25);
  EXPECT_EQ(std::ranges::count_if(order, [](std::uint64_t request) { return request > 40; }), 20);
}

TEST_F(BrokerOverloadTest, AProducerWithoutAKeyHasTheWeightOfItsId) {
  Policy policy = overload_policy("none");
  policy.weights = {{"00000000000000010000000000000002", 2}, {"cameras", 3}};
  begin(std::move(policy));
  say(producer(1), wire::Authenticated{"cameras"});
  join_producer(2);  // Another connection than the one that has the key.
  fill();
  for (std::uint64_t request = 4; request <= 6; ++request) send(1, request);
  for (std::uint64_t request = 20; request <= 22; ++request) send(2, request);
  EXPECT_THAT(answer_all(8), ElementsAre(1u, 2u, 3u, 4u, 20u, 21u, 5u, 22u));
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

TEST_F(BrokerOverloadTest, AnOlderFrameThatIsSentAgainSupersedesNoNewerOne) {
  fill();
  send(1, 5, {}, 7);
  send(1, 4, {}, 7);
  EXPECT_THAT(results(1, ResultStatus::superseded), IsEmpty());
  EXPECT_EQ(counter("requests_waiting"), 4u);
}

TEST_F(BrokerOverloadTest, ANewerFrameSupersedesThoseThatWaitWithoutOverload) {
  send(1, 1, {}, 7);
  send(1, 2, {}, 7);
  send(1, 3, {}, 7);
  EXPECT_EQ(counter("overloaded"), 0u);
  EXPECT_THAT(results(1, ResultStatus::superseded), ElementsAre(2u));
  EXPECT_EQ(counter("requests_waiting"), 1u);
  EXPECT_THAT(answer_all(2), ElementsAre(1u, 3u));
  EXPECT_EQ(counter("requests_open"), 0u);
}

TEST_F(BrokerOverloadTest, AFrameThatWaitsFromBeforeTheOverloadIsSuperseded) {
  send(1, 1);
  send(1, 2, {}, 7);
  send(1, 3);
  send(1, 4);
  EXPECT_EQ(counter("overloaded"), 1u);
  send(1, 5, {}, 7);
  EXPECT_THAT(results(1, ResultStatus::superseded), ElementsAre(2u));
  EXPECT_THAT(answer_all(4), ElementsAre(1u, 3u, 4u, 5u));
}

TEST_F(BrokerOverloadTest, AFrameWhoseCollageIsUnderWayIsNotSuperseded) {
  join_assembler(1);
  send(1, 1);
  send(1, 2, {}, 7);
  later(50ms);  // The batch is sealed: the collage is made.
  ASSERT_THAT(received<wire::SealCollage>(assembler(1)), SizeIs(1));
  send(1, 3, {}, 7);
  EXPECT_THAT(results(1, ResultStatus::superseded), IsEmpty());
  send(1, 4, {}, 7);  // The batch of 3 is open still.
  EXPECT_THAT(results(1, ResultStatus::superseded), ElementsAre(3u));
}

TEST_F(BrokerOverloadTest, AnAnswerOfACoverIsNoBrownout) {
  forget();
  join_assembler(1);
  send(1, 1);
  send(1, 2);  // It waits for the s-CNN, and is covered.
  const auto covers = received<wire::Assign>(assembler(1));
  ASSERT_THAT(requests_of(covers), ElementsAre(1u, 2u));
  settle(covers[1].batch, covers[1].slot, Source::collage);
  EXPECT_FALSE(the<wire::Result>(producer(1)).brownout);
  EXPECT_EQ(counter("answered_brownout"), 0u);
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
