#include "broker/batcher.h"

#include <gmock/gmock.h>

#include "tests/values.h"

namespace broker {
namespace {

using namespace std::chrono_literals;

TEST(Batcher, TheFirstImageOpensABatchAndTheLastOfTheGridSealsIt) {
  Batcher batcher(kEpoch, 3, 40ms);
  const auto first = batcher.add(at(0ms));
  EXPECT_TRUE(first.opened);
  EXPECT_FALSE(first.sealed);
  EXPECT_EQ(first.batch, (wire::BatchId{kEpoch, {1}}));
  const auto second = batcher.add(at(1ms));
  EXPECT_FALSE(second.opened || second.sealed);
  const auto third = batcher.add(at(2ms));
  EXPECT_FALSE(third.opened);
  EXPECT_TRUE(third.sealed);
  EXPECT_EQ(third.batch, first.batch);
  EXPECT_EQ(first.slot, 0);
  EXPECT_EQ(second.slot, 1);
  EXPECT_EQ(third.slot, 2);
}

TEST(Batcher, AFullBatchIsFollowedByAnother) {
  Batcher batcher(kEpoch, 2, 40ms);
  (void)batcher.add(at(0ms));
  (void)batcher.add(at(0ms));
  const auto next = batcher.add(at(0ms));
  EXPECT_TRUE(next.opened);
  EXPECT_EQ(next.batch, (wire::BatchId{kEpoch, {2}}));
  EXPECT_EQ(next.slot, 0);
}

TEST(Batcher, LingerRunsFromTheFirstImageAndSealsAPartialBatch) {
  Batcher batcher(kEpoch, 4, 40ms);
  (void)batcher.add(at(10ms));
  (void)batcher.add(at(45ms));
  EXPECT_EQ(batcher.next_timeout(), at(50ms));
  EXPECT_FALSE(batcher.on_timeout(at(49ms)));
  const auto last = batcher.on_timeout(at(50ms));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->batch, (wire::BatchId{kEpoch, {1}}));
  EXPECT_EQ(last->slot, 1);
  EXPECT_TRUE(last->sealed);
  EXPECT_FALSE(last->opened);
}

TEST(Batcher, NothingIsDueWhileNoBatchIsOpen) {
  Batcher batcher(kEpoch, 2, 40ms);
  EXPECT_EQ(batcher.next_timeout(), std::nullopt);
  EXPECT_FALSE(batcher.on_timeout(at(1s)));
  EXPECT_FALSE(batcher.flush());
  (void)batcher.add(at(1s));
  (void)batcher.add(at(1s));
  EXPECT_EQ(batcher.next_timeout(), std::nullopt);
}

TEST(Batcher, ASealedPartialBatchTakesNoFurtherImage) {
  Batcher batcher(kEpoch, 4, 40ms);
  (void)batcher.add(at(0ms));
  ASSERT_TRUE(batcher.on_timeout(at(40ms)));
  EXPECT_FALSE(batcher.on_timeout(at(80ms)));
  const auto next = batcher.add(at(90ms));
  EXPECT_TRUE(next.opened);
  EXPECT_EQ(next.batch.sequence.value, 2u);
  EXPECT_EQ(batcher.next_timeout(), at(130ms));
}

TEST(Batcher, FlushSealsWhateverTheAge) {
  Batcher batcher(kEpoch, 4, 40ms);
  (void)batcher.add(at(0ms));
  const auto last = batcher.flush();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->slot, 0);
  EXPECT_FALSE(batcher.flush());
}

TEST(Batcher, WithoutLingerABatchIsDueAtOnce) {
  Batcher batcher(kEpoch, 4, 0ms);
  (void)batcher.add(at(5ms));
  EXPECT_TRUE(batcher.on_timeout(at(5ms)));
}

TEST(Batcher, ABatchOfTheCallersHasANameOfItsOwn) {
  Batcher batcher(kEpoch, 3, 40ms);
  EXPECT_EQ(batcher.next(), batch(1));
  EXPECT_EQ(batcher.add(at(0ms)).batch, batch(2));
  EXPECT_EQ(batcher.next(), batch(3));
  const auto second = batcher.add(at(1ms));  // The open batch is as it was.
  EXPECT_EQ(second.batch, batch(2));
  EXPECT_EQ(second.slot, 1);
  EXPECT_EQ(batcher.flush()->batch, batch(2));
  EXPECT_EQ(batcher.add(at(2ms)).batch, batch(4));
}

TEST(Batcher, TheOpenBatchHasANameWhileItTakesImages) {
  Batcher batcher(kEpoch, 2, 40ms);
  EXPECT_EQ(batcher.open(), std::nullopt);
  (void)batcher.next();
  EXPECT_EQ(batcher.open(), std::nullopt);
  (void)batcher.add(at(0ms));
  EXPECT_EQ(batcher.open(), batch(2));
  (void)batcher.add(at(0ms));
  EXPECT_EQ(batcher.open(), std::nullopt);
}

TEST(Batcher, ALongerLingerHoldsForTheOpenBatchOnly) {
  Batcher batcher(kEpoch, 4, 40ms);
  (void)batcher.add(at(0ms));
  batcher.linger_until(at(100ms));
  EXPECT_EQ(batcher.next_timeout(), at(100ms));
  EXPECT_FALSE(batcher.on_timeout(at(40ms)));
  EXPECT_TRUE(batcher.on_timeout(at(100ms)));
  (void)batcher.add(at(200ms));
  EXPECT_EQ(batcher.next_timeout(), at(240ms));
}

}  // namespace
}  // namespace broker
