// Images that are late under overload: at an s-CNN, or in a collage.
#include "tests/broker/overload_fixture.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using wire::ResultStatus;
using wire::Source;

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

TEST_F(BrokerOverloadTest, APolicyWithoutHedgesHedgesNoLateImage) {
  fill();
  send(1, 4);
  answer_all(3);
  join_assembler(1);
  join_worker(2, 1);
  later(300ms);
  EXPECT_THAT(received<wire::Assign>(worker(2)), IsEmpty());
  EXPECT_THAT(requests_of(received<wire::Assign>(assembler(1))), ElementsAre(4u));
}

TEST_F(BrokerOverloadTest, TheImagesOfALostAssemblerGoToSCnnsFirst) {
  fill();
  for (std::uint64_t request = 4; request <= 8; ++request) send(1, request);
  join_assembler(1);
  say(assembler(1), wire::Undelivered{});
  EXPECT_EQ(counter("rescued"), 4u);
  EXPECT_THAT(answer_all(6, 50ms), ElementsAre(1u, 4u, 5u, 6u, 7u, 2u));
}

TEST_F(BrokerOverloadTest, TheImagesOfALateCollageGoToSCnnsFirst) {
  fill();
  for (std::uint64_t request = 4; request <= 7; ++request) send(1, request);
  join_assembler(1);
  later(199ms);  // Until hedge_after, for no collage has been seen yet.
  EXPECT_EQ(counter("rescued"), 0u);
  later(1ms);
  EXPECT_EQ(counter("rescued"), 4u);
  EXPECT_THAT(answer_all(6, 50ms), ElementsAre(1u, 4u, 5u, 6u, 7u, 2u));
}

}  // namespace
}  // namespace broker
