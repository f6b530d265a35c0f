#include "broker/dispatcher.h"

#include <gmock/gmock.h>

#include "tests/broker/peers.h"
#include "tests/values.h"

namespace broker {
namespace {

using namespace std::chrono_literals;

class DispatcherTest : public testing::Test {
 protected:
  void join(std::uint64_t n, std::uint32_t capacity) {
    dispatcher.roster().join({{2, n}, wire::Role::classifier, {}, capacity}, peer(n), at(0ms));
  }
  void ready(std::uint64_t n) {
    dispatcher.roster().ready(peer(n), {sequence, {}, false}, at(0ms));
  }
  Task admit() {
    if (!batch_) batch_ = &ledger.open({{7}, {1}}, at(0ms));
    dispatcher.on_admitted();
    Entry entry;
    entry.deadline = at(1s);
    return ledger.add(*batch_, std::move(entry)).task;
  }
  std::optional<Dispatcher::Order> dispatch(Task task) {
    return noted(dispatcher.dispatch(*ledger.find(task), at(0ms)));
  }
  std::optional<Dispatcher::Order> hedge(Task task) {
    return noted(dispatcher.hedge(*ledger.find(task), at(0ms)));
  }
  std::optional<Dispatcher::Order> waiting() {
    return noted(dispatcher.next_waiting(ledger, at(0ms)));
  }
  // Remembers the sequence of an order, so that a worker's Ready can show it as seen.
  std::optional<Dispatcher::Order> noted(std::optional<Dispatcher::Order> order) {
    if (order) sequence = order->sequence;
    return order;
  }

  SequenceSource sequences;
  Dispatcher dispatcher{{.roster = {9, 1s, 1s}, .hedge_rate_max = 0.5}, sequences};
  Ledger ledger;
  wire::Sequence sequence;  // Of the latest order.

 private:
  Batch* batch_ = nullptr;
};

TEST_F(DispatcherTest, ATaskGoesAtOnceToAWorkerWithCredit) {
  join(1, 1);
  const Task task = admit();
  const auto order = dispatch(task);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->peer, peer(1));
  EXPECT_EQ(order->entry->task, task);
  EXPECT_EQ(order->sequence.value, 1u);
  EXPECT_FALSE(order->hedge);
  EXPECT_THAT(ledger.find(task)->tried, testing::ElementsAre(wire::WorkerId{2, 1}));
  EXPECT_EQ(dispatcher.counters().dispatched, 1u);
}

TEST_F(DispatcherTest, ATiedTaskWaitsForItsTwoWorkersAndForNoOthers) {
  Dispatcher tied{{.roster = {9, 1s, 1s}, .hedge_rate_max = 0, .ties = 2}, sequences};
  for (std::uint64_t n = 1; n <= 4; ++n) {
    tied.roster().join({{2, n}, wire::Role::classifier, {}, 1}, peer(n), at(0ms));
  }
  const auto give = [&](Task task) { return noted(tied.dispatch(*ledger.find(task), at(0ms))); };
  const Task a = admit(), b = admit(), c = admit(), d = admit(), e = admit();
  EXPECT_EQ(give(a)->peer, peer(1));  // Of 1 and 2.
  EXPECT_EQ(give(b)->peer, peer(3));  // Of 3 and 4.
  EXPECT_EQ(give(c)->peer, peer(2));  // Of 1 and 2.
  EXPECT_EQ(give(d)->peer, peer(4));  // Of 3 and 4.
  EXPECT_FALSE(give(e));              // Of 1 and 2.
  tied.roster().ready(peer(3), {sequence, {}, false}, at(0ms));
  EXPECT_FALSE(noted(tied.next_waiting(ledger, at(0ms))));
  const Task f = admit();
  EXPECT_EQ(give(f)->peer, peer(3));  // Of 3 and 4, past the one that waits.
  tied.roster().ready(peer(2), {sequence, {}, false}, at(0ms));
  EXPECT_EQ(noted(tied.next_waiting(ledger, at(0ms)))->entry->task, e);
}

TEST_F(DispatcherTest, ATiedTaskWhoseWorkersAreGoneIsTiedToOthers) {
  Dispatcher tied{{.roster = {9, 1s, 1s}, .hedge_rate_max = 0, .ties = 2}, sequences};
  for (std::uint64_t n = 1; n <= 3; ++n) {
    tied.roster().join({{2, n}, wire::Role::classifier, {}, 1}, peer(n), at(0ms));
  }
  const Task a = admit(), b = admit();
  const auto give = [&](Task task) { return noted(tied.dispatch(*ledger.find(task), at(0ms))); };
  EXPECT_EQ(give(a)->peer, peer(1));  // Of 1 and 2.
  tied.roster().lost(peer(3));
  tied.roster().lost(peer(2));
  EXPECT_FALSE(give(b));  // Of 1 alone.
  tied.roster().join({{2, 5}, wire::Role::classifier, {}, 1}, peer(5), at(0ms));
  EXPECT_EQ(noted(tied.next_waiting(ledger, at(0ms)))->peer, peer(5));
}

TEST_F(DispatcherTest, WithoutCreditTasksWaitInLineFirstInFirstOut) {
  join(1, 1);
  (void)dispatch(admit());
  const Task second = admit(), third = admit();
  EXPECT_FALSE(dispatch(second));
  EXPECT_FALSE(dispatch(third));
  EXPECT_EQ(dispatcher.waiting(), 2u);
  EXPECT_FALSE(waiting());
  ready(1);
  const auto order = waiting();
  ASSERT_TRUE(order);
  EXPECT_EQ(order->entry->task, second);
  EXPECT_EQ(dispatcher.waiting(), 1u);
  EXPECT_FALSE(waiting());
}

TEST_F(DispatcherTest, NobodyJumpsTheLine) {
  const Task first = admit(), second = admit();
  EXPECT_FALSE(dispatch(first));
  join(1, 1);
  EXPECT_FALSE(dispatch(second));
  EXPECT_EQ(waiting()->entry->task, first);
}

TEST_F(DispatcherTest, ASettledTaskLosesItsPlaceInTheLine) {
  const Task first = admit(), second = admit();
  EXPECT_FALSE(dispatch(first));
  EXPECT_FALSE(dispatch(second));
  (void)ledger.settle(first);
  join(1, 2);
  EXPECT_EQ(waiting()->entry->task, second);
  EXPECT_EQ(dispatcher.waiting(), 0u);
}

TEST_F(DispatcherTest, ASecondCopyWaitsForAnotherWorkerAndHoldsUpNobody) {
  join(1, 4);
  const Task first = admit(), second = admit();
  EXPECT_TRUE(dispatch(first));
  EXPECT_FALSE(dispatch(first));  // Its only worker has it.
  (void)dispatch(second);
  EXPECT_EQ(waiting()->entry->task, second);
  EXPECT_FALSE(waiting());
  join(2, 1);
  EXPECT_EQ(waiting()->entry->task, first);
}

TEST_F(DispatcherTest, AHedgeGoesToAnotherWorkerAndIsMarked) {
  join(1, 4);
  join(2, 4);
  admit();
  const Task task = admit();
  EXPECT_EQ(dispatch(task)->peer, peer(1));
  const auto order = hedge(task);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->peer, peer(2));
  EXPECT_TRUE(order->hedge);
  EXPECT_EQ(dispatcher.counters().hedges, 1u);
  EXPECT_EQ(dispatcher.counters().dispatched, 2u);
}

TEST_F(DispatcherTest, HedgesStopWhenTheirRateIsSpent) {
  join(1, 9);
  join(2, 9);
  std::vector<Task> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(admit());  // Half a hedge each.
  EXPECT_TRUE(hedge(tasks[0]));
  EXPECT_TRUE(hedge(tasks[1]));
  EXPECT_FALSE(hedge(tasks[2]));
  EXPECT_EQ(dispatcher.counters().hedges_no_rate, 1u);
  admit();
  admit();
  EXPECT_TRUE(hedge(tasks[2]));
  EXPECT_EQ(dispatcher.counters().hedges, 3u);
}

TEST_F(DispatcherTest, HedgeTokensAreFewHoweverManyImagesCome) {
  for (std::uint64_t worker = 1; worker <= 9; ++worker) join(worker, 99);
  for (int i = 0; i < 1000; ++i) dispatcher.on_admitted();
  const Task task = admit(), other = admit(), third = admit(), fourth = admit();
  int started = 0;
  for (const Task each : {task, other, third, fourth}) {
    for (int i = 0; i < 9; ++i) started += hedge(each).has_value() ? 1 : 0;
  }
  EXPECT_EQ(started, 32);
  EXPECT_EQ(dispatcher.counters().hedges_no_rate, 4u);
}

TEST_F(DispatcherTest, AHedgeWithoutAFreeWorkerIsCountedAndCostsNothing) {
  join(1, 1);
  admit();
  const Task task = admit();
  EXPECT_TRUE(dispatch(task));
  EXPECT_FALSE(hedge(task));
  EXPECT_EQ(dispatcher.counters().hedges_no_worker, 1u);
  EXPECT_EQ(dispatcher.waiting(), 0u);
  join(2, 1);
  EXPECT_TRUE(hedge(task));
}

TEST_F(DispatcherTest, WhatIsToGoFirstKeepsItsOrderBeforeTheRestOfTheLine) {
  const Task a = admit(), b = admit(), c = admit();
  EXPECT_FALSE(dispatch(a));
  EXPECT_FALSE(dispatcher.dispatch_first(*ledger.find(b), at(0ms)));
  EXPECT_FALSE(dispatcher.dispatch_first(*ledger.find(c), at(0ms)));
  EXPECT_EQ(dispatcher.waiting(), 3u);
  EXPECT_FALSE(dispatcher.free());
  join(1, 4);
  EXPECT_TRUE(dispatcher.free());
  for (const Task next : {b, c, a}) {
    const auto order = waiting();
    ASSERT_TRUE(order);
    EXPECT_EQ(order->entry->task, next);
    EXPECT_EQ(order->entry->waiting, 0u);
  }
  EXPECT_FALSE(waiting());
}

TEST_F(DispatcherTest, WhatIsToGoFirstGoesAtOnceIfAWorkerIsFree) {
  const Task a = admit(), b = admit();
  EXPECT_FALSE(dispatch(a));
  join(1, 1);
  EXPECT_TRUE(noted(dispatcher.dispatch_first(*ledger.find(b), at(0ms))));
  EXPECT_EQ(dispatcher.waiting(), 1u);
}

TEST_F(DispatcherTest, ASettledSlotLeavesTheHeadOfTheLineToo) {
  const Task a = admit(), b = admit();
  (void)dispatcher.dispatch_first(*ledger.find(a), at(0ms));
  (void)dispatcher.dispatch_first(*ledger.find(b), at(0ms));
  dispatcher.forget(a);
  EXPECT_EQ(dispatcher.waiting(), 1u);
  join(1, 2);
  EXPECT_EQ(waiting()->entry->task, b);
  EXPECT_FALSE(waiting());
}

}  // namespace
}  // namespace broker
