#include "broker/ledger.h"

#include <gmock/gmock.h>

#include <utility>

#include "tests/values.h"

namespace broker {
namespace {

using namespace std::chrono_literals;

Entry entry(std::uint64_t request, wire::Duration deadline, std::size_t bytes = 10) {
  Entry made;
  made.request = {request};
  made.deadline = at(deadline);
  made.image = wire::Payload(wire::Payload::Bytes(bytes));
  return made;
}

TEST(Ledger, AnEntryIsGivenUpOnceAndNeverAgain) {
  Ledger ledger;
  Batch& batch = ledger.open({kEpoch, {1}}, at(0ms));
  const Task task = ledger.add(batch, entry(5, 1s)).task;
  ASSERT_NE(ledger.find(task), nullptr);
  const auto settled = ledger.settle(task);
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->request.value, 5u);
  EXPECT_EQ(ledger.find(task), nullptr);
  EXPECT_FALSE(ledger.settle(task));
}

TEST(Ledger, WhatIsUnknownCannotBeSettled) {
  Ledger ledger;
  Batch& batch = ledger.open({kEpoch, {1}}, at(0ms));
  (void)ledger.add(batch, entry(5, 1s));
  EXPECT_FALSE(ledger.settle({2, 0}));
  EXPECT_FALSE(ledger.settle({1, 1}));
  EXPECT_FALSE(ledger.settle({1, kWholeBatch}));
}

TEST(Ledger, CountsOpenRequestsAndTheBytesOfTheirImages) {
  Ledger ledger;
  Batch& batch = ledger.open({kEpoch, {1}}, at(0ms));
  const Task first = ledger.add(batch, entry(1, 1s, 10)).task;
  (void)ledger.add(batch, entry(2, 1s, 25));
  EXPECT_EQ(ledger.open_requests(), 2u);
  EXPECT_EQ(ledger.open_bytes(), 35u);
  (void)ledger.settle(first);
  EXPECT_EQ(ledger.open_requests(), 1u);
  EXPECT_EQ(ledger.open_bytes(), 25u);
}

TEST(Ledger, HoldsTheImageAndNoCopyOfIt) {
  Ledger ledger;
  Entry made = entry(1, 1s);
  const auto* data = made.image.bytes().data();
  Batch& batch = ledger.open({kEpoch, {1}}, at(0ms));
  const Task task = ledger.add(batch, std::move(made)).task;
  EXPECT_EQ(ledger.find(task)->image.bytes().data(), data);
  EXPECT_EQ(ledger.settle(task)->image.bytes().data(), data);
}

TEST(Ledger, ABatchIsForgottenOnlyWhenSealedAndSettledAsAWhole) {
  Ledger ledger;
  Batch& batch = ledger.open({kEpoch, {1}}, at(0ms));
  const Task first = ledger.add(batch, entry(1, 1s)).task;
  const Task second = ledger.add(batch, entry(2, 1s)).task;
  (void)ledger.settle(first);
  EXPECT_FALSE(ledger.finish(1));
  ledger.seal(batch);
  EXPECT_FALSE(ledger.finish(1));
  (void)ledger.settle(second);
  const auto done = ledger.finish(1);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->id, (wire::BatchId{kEpoch, {1}}));
  EXPECT_FALSE(ledger.finish(1));
  EXPECT_EQ(ledger.find_batch(1), nullptr);
}

TEST(Ledger, AnEmptiedBatchThatIsNotSealedStays) {
  Ledger ledger;
  Batch& batch = ledger.open({kEpoch, {1}}, at(0ms));
  (void)ledger.settle(ledger.add(batch, entry(1, 1s)).task);
  EXPECT_FALSE(ledger.finish(1));
  EXPECT_NE(ledger.find_batch(1), nullptr);
}

TEST(Ledger, TimersComeInOrderOfTimeAndHedgesBeforeDeadlines) {
  Ledger ledger;
  Batch& batch = ledger.open({kEpoch, {1}}, at(0ms));
  const Task late = ledger.add(batch, entry(1, 300ms)).task;
  Entry looked_at = entry(2, 200ms);
  looked_at.look_at = at(200ms);
  const Task both = ledger.add(batch, std::move(looked_at)).task;
  EXPECT_EQ(ledger.next_timeout(), at(200ms));
  EXPECT_FALSE(ledger.take_due(at(199ms)));
  auto timer = ledger.take_due(at(300ms));
  ASSERT_TRUE(timer);
  EXPECT_EQ(timer->due, Ledger::Due::look);
  EXPECT_EQ(timer->task, both);
  timer = ledger.take_due(at(300ms));
  ASSERT_TRUE(timer);
  EXPECT_EQ(timer->due, Ledger::Due::deadline);
  EXPECT_EQ(timer->task, both);
  timer = ledger.take_due(at(300ms));
  ASSERT_TRUE(timer);
  EXPECT_EQ(timer->task, late);
  EXPECT_FALSE(ledger.take_due(at(1h)));
}

TEST(Ledger, SettlingTakesTheTimersAlong) {
  Ledger ledger;
  Batch& batch = ledger.open({kEpoch, {1}}, at(0ms));
  Entry looked_at = entry(2, 200ms);
  looked_at.look_at = at(100ms);
  (void)ledger.settle(ledger.add(batch, std::move(looked_at)).task);
  EXPECT_EQ(ledger.next_timeout(), std::nullopt);
  EXPECT_FALSE(ledger.take_due(at(1h)));
}

TEST(Ledger, AnImageMayWaitOutsideOfAnyBatch) {
  Ledger ledger;
  Entry made = entry(5, 1s, 25);
  made.look_at = at(100ms);
  const Task task = ledger.add_waiting(std::move(made)).task;
  EXPECT_EQ(task.slot, kWaiting);
  EXPECT_EQ(ledger.waiting().size(), 1u);
  EXPECT_EQ(ledger.open_requests(), 1u);
  EXPECT_EQ(ledger.open_bytes(), 25u);
  EXPECT_EQ(ledger.next_timeout(), at(1s));  // No s-CNN has it that could be late.
  ASSERT_NE(ledger.find(task), nullptr);
  const auto settled = ledger.settle(task);
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->request.value, 5u);
  EXPECT_FALSE(ledger.settle(task));
  EXPECT_TRUE(ledger.waiting().empty());
  EXPECT_EQ(ledger.open_requests(), 0u);
  EXPECT_EQ(ledger.open_bytes(), 0u);
  EXPECT_EQ(ledger.next_timeout(), std::nullopt);
}

TEST(Ledger, NoTwoWaitingImagesHaveTheSameName) {
  Ledger ledger;
  const Task first = ledger.add_waiting(entry(1, 1s)).task;
  (void)ledger.settle(first);
  EXPECT_NE(ledger.add_waiting(entry(2, 1s)).task, first);
}

TEST(Ledger, AWaitingImageTakesASlotWithItsDeadline) {
  Ledger ledger;
  const Task waiting = ledger.add_waiting(entry(5, 1s, 25)).task;
  Batch& batch = ledger.open({kEpoch, {1}}, at(300ms));
  const Entry& placed = ledger.place(waiting, batch, at(600ms));
  EXPECT_EQ(placed.task, (Task{1, 0}));
  EXPECT_EQ(placed.request.value, 5u);
  EXPECT_FALSE(placed.moved_from);
  EXPECT_EQ(ledger.find(waiting), nullptr);
  EXPECT_TRUE(ledger.waiting().empty());
  EXPECT_EQ(ledger.open_requests(), 1u);
  EXPECT_EQ(ledger.open_bytes(), 25u);
  const auto look = ledger.take_due(at(600ms));
  ASSERT_TRUE(look);
  EXPECT_EQ(look->due, Ledger::Due::look);
  EXPECT_EQ(look->task, (Task{1, 0}));
  EXPECT_EQ(ledger.next_timeout(), at(1s));
  const auto deadline = ledger.take_due(at(1s));
  ASSERT_TRUE(deadline);
  EXPECT_EQ(deadline->due, Ledger::Due::deadline);
  EXPECT_EQ(deadline->task, (Task{1, 0}));
}

TEST(Ledger, AnImageThatMovesToAnotherBatchIsFoundUnderEitherSlot) {
  Ledger ledger;
  Batch& first = ledger.open({kEpoch, {1}}, at(0ms));
  (void)ledger.add(first, entry(4, 1s));
  const Task former = ledger.add(first, entry(5, 900ms, 25)).task;
  Batch& second = ledger.open({kEpoch, {2}}, at(300ms));
  const Entry& placed = ledger.place(former, second, at(950ms));
  const Task present = placed.task;
  EXPECT_EQ(present, (Task{2, 0}));
  EXPECT_EQ(placed.moved_from, former);
  EXPECT_EQ(ledger.find(former), ledger.find(present));
  EXPECT_EQ(ledger.find(present)->request.value, 5u);
  EXPECT_EQ(ledger.open_requests(), 2u);
  EXPECT_EQ(ledger.open_bytes(), 35u);
  EXPECT_EQ(ledger.next_timeout(), at(900ms));
}

TEST(Ledger, AMovedImageIsSettledOnceWhicheverSlotIsAnswered) {
  for (const Task answered : {Task{1, 0}, Task{2, 0}}) {
    Ledger ledger;
    Batch& first = ledger.open({kEpoch, {1}}, at(0ms));
    const Task former = ledger.add(first, entry(5, 1s)).task;
    ledger.seal(first);
    Batch& second = ledger.open({kEpoch, {2}}, at(300ms));
    (void)ledger.place(former, second, at(800ms));
    ledger.seal(second);
    EXPECT_FALSE(ledger.finish(1));  // Not before the image is settled.
    EXPECT_FALSE(ledger.finish(2));
    const auto settled = ledger.settle(answered);
    ASSERT_TRUE(settled);
    EXPECT_EQ(settled->task, (Task{2, 0}));
    EXPECT_EQ(settled->moved_from, former);
    EXPECT_FALSE(ledger.settle({1, 0}));
    EXPECT_FALSE(ledger.settle({2, 0}));
    EXPECT_TRUE(ledger.finish(1));
    EXPECT_TRUE(ledger.finish(2));
    EXPECT_EQ(ledger.open_requests(), 0u);
    EXPECT_EQ(ledger.next_timeout(), std::nullopt);
  }
}

}  // namespace
}  // namespace broker
