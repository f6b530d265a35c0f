// How long a batch waits for images once the broker knows how long a collage takes.
#include "tests/broker/broker_fixture.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Collages take 60 ms; the linger of the policy is 40 ms.
class BrokerLingerTest : public BrokerTest {
 protected:
  BrokerLingerTest() {
    Policy policy = small_policy("collage");
    policy.heartbeat = 1s;
    make(std::move(policy));
    join_producer(1);
    join_sink();
    join_worker(1);
    join_assembler(1);
    for (std::uint64_t request = 1; request <= 8; ++request) {
      submit(1, request);
      const auto task = the<wire::Assign>(worker(1));
      later(100ms);  // The batch was sealed 60 ms ago.
      settle(task.batch, task.slot);
      ready(worker(1), task.sequence.value);
      ready(assembler(1), the<wire::Assign>(assembler(1)).sequence.value);
    }
    forget();
  }
  void later(wire::Duration d) { advance(now - at(0ms) + d); }
};

TEST_F(BrokerLingerTest, WithoutALearnedPatienceABatchIsSealedWhenItsLingerIsOver) {
  submit(1, 9);
  later(39ms);
  EXPECT_THAT(received<wire::SealCollage>(assembler(1)), IsEmpty());
  later(1ms);
  EXPECT_THAT(received<wire::SealCollage>(assembler(1)), SizeIs(1));
}

TEST_F(BrokerLingerTest, ABatchTakesImagesUntilItsCollageCouldOnlyJustBeThereInTime) {
  say(kSink, wire::ServiceTimes{.patience = 200ms});
  submit(1, 9);
  later(100ms);
  submit(1, 10);
  later(39ms);
  EXPECT_THAT(received<wire::SealCollage>(assembler(1)), IsEmpty());
  later(1ms);  // 60 ms before the patience of the first is over.
  EXPECT_EQ(the<wire::SealCollage>(assembler(1)).filled, 2);
  EXPECT_THAT(the<wire::BatchSealed>(kSink).ages, ElementsAre(140ms, 40ms));
}

TEST_F(BrokerLingerTest, AnAnsweredImageDoesNotHurryTheCollage) {
  say(kSink, wire::ServiceTimes{.patience = 200ms});
  submit(1, 9);
  later(30ms);
  submit(1, 10);
  const auto tasks = received<wire::Assign>(worker(1));
  ASSERT_THAT(tasks, SizeIs(2));
  settle(tasks[0].batch, tasks[0].slot);
  later(139ms);
  EXPECT_THAT(received<wire::SealCollage>(assembler(1)), IsEmpty());
  later(1ms);
  EXPECT_THAT(received<wire::SealCollage>(assembler(1)), SizeIs(1));
}

TEST_F(BrokerLingerTest, ABatchWhoseImagesAreAllAnsweredNeedsNoCollage) {
  say(kSink, wire::ServiceTimes{.patience = 200ms});
  submit(1, 9);
  const auto task = the<wire::Assign>(worker(1));
  later(20ms);
  settle(task.batch, task.slot);
  later(20ms);
  EXPECT_THAT(received<wire::SealCollage>(assembler(1)), IsEmpty());
  EXPECT_THAT(received<wire::DropCollage>(assembler(1)), SizeIs(1));
  EXPECT_EQ(counter("batches_open"), 0u);
}

TEST_F(BrokerLingerTest, AFullBatchDoesNotLinger) {
  say(kSink, wire::ServiceTimes{.patience = 200ms});
  for (std::uint64_t request = 9; request <= 12; ++request) submit(1, request);
  EXPECT_EQ(the<wire::SealCollage>(assembler(1)).filled, 4);
}

}  // namespace
}  // namespace broker
