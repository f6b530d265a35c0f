#include "tests/broker/broker_fixture.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Reason;
using wire::ResultStatus;
using wire::Source;

class BrokerCancelTest : public BrokerTest {
 protected:
  BrokerCancelTest() { begin("none"); }
  void begin(std::string_view redundancy) {
    make(small_policy(redundancy));
    join_producer(1);
    join_sink();
    forget();
  }
};

TEST_F(BrokerCancelTest, ACancelledRequestIsAnsweredAtOnceAndItsImageIsLetGo) {
  advance(20ms);
  submit(1, 5);
  advance(50ms);
  cancel(1, 5);
  const auto result = the<wire::Result>(producer(1));
  EXPECT_EQ(result.request.value, 5u);
  EXPECT_EQ(result.status, ResultStatus::cancelled);
  EXPECT_EQ(result.source, Source::none);
  EXPECT_EQ(result.reason, Reason::none);
  EXPECT_EQ(result.latency, 30ms);
  EXPECT_EQ(counter("cancelled"), 1u);
  EXPECT_EQ(counter("requests_open"), 0u);
  EXPECT_EQ(counter("image_bytes_open"), 0u);
  advance(2s);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("missing"), 0u);
  EXPECT_EQ(counter("batches_open"), 0u);
}

TEST_F(BrokerCancelTest, ACancelledRequestLeavesTheLine) {
  submit(1, 5);
  submit(1, 6);
  EXPECT_EQ(counter("requests_waiting"), 2u);
  cancel(1, 5);
  EXPECT_EQ(counter("requests_waiting"), 1u);
  join_worker(1);
  EXPECT_EQ(the<wire::Assign>(worker(1)).slot, 1);
}

TEST_F(BrokerCancelTest, ACancelGivesItsCreditToTheNext) {
  for (std::uint64_t request = 1; request <= 6; ++request) submit(1, request);
  cancel(1, 3);
  forget();
  submit(1, 7);
  EXPECT_THAT(received<wire::Result>(producer(1)), IsEmpty());
  EXPECT_EQ(counter("requests_open"), 6u);
}

TEST_F(BrokerCancelTest, ACancelOfWhatIsNotOpenIsCountedAndIgnored) {
  join_producer(2);
  submit(1, 5);
  submit(1, 6);
  settle(batch(1), 0);
  forget();
  cancel(1, 5);  // It is answered.
  cancel(1, 7);  // It never was.
  cancel(2, 6);  // It is another's.
  cancel(9, 6);  // Nobody knows who that is.
  EXPECT_EQ(counter("cancels_unknown"), 4u);
  EXPECT_EQ(counter("cancelled"), 0u);
  EXPECT_EQ(counter("requests_open"), 1u);
  for (const std::uint64_t n : {1u, 2u, 9u}) {
    EXPECT_THAT(received<wire::Result>(producer(n)), IsEmpty());
  }
}

TEST_F(BrokerCancelTest, ASecondCancelIsIgnored) {
  submit(1, 5);
  cancel(1, 5);
  cancel(1, 5);
  EXPECT_THAT(results(1, ResultStatus::cancelled), ElementsAre(5));
  EXPECT_EQ(counter("cancels_unknown"), 1u);
}

TEST_F(BrokerCancelTest, TheAnswerToACancelledRequestIsLate) {
  submit(1, 5);
  submit(1, 6);
  cancel(1, 5);
  forget();
  settle(batch(1), 0);
  settle(batch(1), 1);
  EXPECT_THAT(results(1, ResultStatus::answered), ElementsAre(6));
  EXPECT_EQ(counter("settled_twice"), 1u);
}

TEST_F(BrokerCancelTest, WhatAStageHasBegunIsWastedAndItsCreditComesBack) {
  join_worker(1, 1);
  submit(1, 5);
  cancel(1, 5);
  EXPECT_EQ(counter("tasks_outstanding"), 1u);
  ready(worker(1), the<wire::Assign>(worker(1)).sequence.value);
  EXPECT_EQ(counter("tasks_outstanding"), 0u);
  submit(1, 6);
  EXPECT_EQ(the<wire::Assign>(worker(1)).slot, 1);
}

TEST_F(BrokerCancelTest, ACancelledRequestIsNeitherHedgedNorGivenToAnotherWorker) {
  begin("hedge");
  join_worker(1);
  submit(1, 5);
  join_worker(2);
  cancel(1, 5);
  advance(300ms);
  say(worker(1), wire::Undelivered{});
  EXPECT_THAT(received<wire::Assign>(worker(2)), IsEmpty());
  EXPECT_EQ(counter("hedges"), 0u);
  EXPECT_EQ(counter("tasks_redispatched"), 0u);
}

TEST_F(BrokerCancelTest, WhenAllOfASealedBatchIsCancelledItIsClosedAndItsCollageDropped) {
  begin("collage");
  join_assembler(1);
  submit(1, 5);
  submit(1, 6);
  advance(40ms);
  cancel(1, 5);
  EXPECT_THAT(received<wire::BatchSettled>(kSink), IsEmpty());
  cancel(1, 6);
  EXPECT_THAT(received<wire::BatchSettled>(kSink), SizeIs(1));
  EXPECT_THAT(received<wire::DropCollage>(assembler(1)), SizeIs(1));
}

TEST_F(BrokerCancelTest, ABatchThatIsCancelledBeforeItsSealIsDroppedThere) {
  begin("collage");
  join_assembler(1);
  submit(1, 5);
  cancel(1, 5);
  EXPECT_THAT(received<wire::DropCollage>(assembler(1)), IsEmpty());
  advance(40ms);
  EXPECT_THAT(received<wire::DropCollage>(assembler(1)), SizeIs(1));
  EXPECT_THAT(received<wire::SealCollage>(assembler(1)),
              IsEmpty());  // It would have its collage made.
  EXPECT_EQ(counter("batches_open"), 0u);
}

TEST_F(BrokerCancelTest, ADrainingBrokerEndsWithItsLastRequestCancelled) {
  submit(1, 5);
  say({}, wire::Drain{});
  EXPECT_FALSE(finished);
  cancel(1, 5);
  EXPECT_TRUE(finished);
}

TEST_F(BrokerCancelTest, OnlyProducersCancel) {
  submit(1, 5);
  say(worker(1), wire::Cancel{{5}});
  EXPECT_EQ(the<wire::Refuse>(worker(1)).reason, Reason::wrong_role);
  EXPECT_EQ(counter("requests_open"), 1u);
}

TEST_F(BrokerCancelTest, ATaskThatItsWorkerHasNotBegunIsTakenBack) {
  join_worker(1, 2);
  submit(1, 5);
  submit(1, 6);
  const auto tasks = received<wire::Assign>(worker(1));
  ASSERT_THAT(tasks, SizeIs(2));
  cancel(1, 5);  // The worker has begun with it.
  EXPECT_THAT(received<wire::Withdraw>(worker(1)), IsEmpty());
  cancel(1, 6);
  EXPECT_EQ(the<wire::Withdraw>(worker(1)).sequence, tasks[1].sequence);
  EXPECT_EQ(counter("tasks_withdrawn"), 1u);
}

}  // namespace
}  // namespace broker
