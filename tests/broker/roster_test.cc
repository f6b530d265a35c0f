#include "broker/roster.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/broker/peers.h"
#include "tests/values.h"

namespace broker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Optional;

class RosterTest : public testing::Test {
 protected:
  Roster::Joined join(std::uint64_t n, std::uint32_t capacity = 2, wire::Duration t = 0ms) {
    return roster.join({id(n), wire::Role::classifier, {}, capacity}, peer(n), at(t));
  }
  // Gives task {batch, 0} to the best worker and returns who that is; 0 if none is free.
  std::uint64_t give(std::uint64_t batch, wire::Duration t = 0ms) {
    const Roster::Worker* worker = roster.pick({});
    if (!worker) return 0;
    const wire::WorkerId chosen = worker->id;
    roster.assign(chosen, {++sequence}, {batch, 0}, at(t));
    return chosen.low;
  }
  bool ready(std::uint64_t n, std::uint64_t seen, std::vector<wire::Sequence> held = {},
             wire::Duration t = 0ms, bool leaving = false) {
    return roster.ready(peer(n), {{seen}, std::move(held), leaving}, at(t));
  }

  Roster roster{{.worker_max = 3, .silence_max = 350ms, .task_age_max = 600ms}};
  std::uint64_t sequence = 0;
};

TEST_F(RosterTest, WorkIsSpreadOverTheLeastLoadedAndLeastRecentlyUsed) {
  join(1);
  join(2);
  EXPECT_EQ(give(1), 1u);
  EXPECT_EQ(give(2), 2u);
  EXPECT_EQ(give(3), 1u);
  ready(1, 3);  // Both of its tasks are done, but it was used last.
  ready(2, 2);
  EXPECT_EQ(give(4), 2u);
}

TEST_F(RosterTest, TasksThatAreDoneTogetherTookTheirTimeInEqualShares) {
  join(1, 2);
  for (int i = 0; i < 8; i += 2) {
    const wire::Duration begin = i * 30ms;
    give(1, begin);
    give(2, begin);
    const std::uint64_t last = sequence;
    for (const std::uint64_t each : {last - 1, last}) roster.begin(id(1), {each}, at(begin));
    ready(1, last, {{last - 1}, {last}}, begin);  // It has both.
    ready(1, last, {}, begin + 60ms);
  }
  ASSERT_TRUE(roster.service().known());
  EXPECT_NEAR(wire::to_seconds(roster.service().mean()), 0.03, 0.001);
  // All alike: as long as both took and nothing, by turns, would have the same mean.
  EXPECT_NEAR(wire::to_seconds(roster.service().high()), 0.03, 0.001);
}

TEST_F(RosterTest, AWorkerIsGivenNoMoreThanItsCapacity) {
  join(1, 2);
  EXPECT_EQ(give(1), 1u);
  EXPECT_EQ(give(2), 1u);
  EXPECT_EQ(give(3), 0u);
  ready(1, 2, {{2}});
  EXPECT_EQ(give(3), 1u);
  EXPECT_EQ(give(4), 0u);
}

TEST_F(RosterTest, WhatIsSentButNotSeenCountsAgainstCredit) {
  join(1, 2);
  give(1);
  give(2);
  ready(1, 1);  // It has seen and done the first only.
  EXPECT_EQ(roster.outstanding(), 1u);
  EXPECT_EQ(give(3), 1u);
  EXPECT_EQ(give(4), 0u);
}

TEST_F(RosterTest, ATaskLostOnTheWayLeaksNoCredit) {
  join(1, 2);
  give(1);
  give(2);
  ready(1, 2, {{2}});  // The first never came: it is seen past, and not held.
  EXPECT_EQ(roster.outstanding(), 1u);
}

TEST_F(RosterTest, WhatAWorkerHoldsForOthersCountsAgainstItsCredit) {
  join(1, 2);
  ready(1, 0, {{0}, {0}});  // Tasks of an earlier broker.
  EXPECT_EQ(roster.pick({}), nullptr);
  ready(1, 0, {{0}});
  EXPECT_EQ(give(1), 1u);
  EXPECT_EQ(give(2), 0u);
  ready(1, 1, {{0}, {1}});
  EXPECT_EQ(roster.outstanding(), 2u);
}

TEST_F(RosterTest, TheTriedAreNotPickedAgain) {
  join(1);
  join(2);
  const std::vector<wire::WorkerId> tried{id(1)};
  ASSERT_NE(roster.pick(tried), nullptr);
  EXPECT_EQ(roster.pick(tried)->id, id(2));
  const std::vector<wire::WorkerId> both{id(1), id(2)};
  EXPECT_EQ(roster.pick(both), nullptr);
}

TEST_F(RosterTest, AWorkerThatLeavesIsGivenNothing) {
  join(1);
  ready(1, 0, {}, 0ms, true);
  EXPECT_EQ(give(1), 0u);
  ready(1, 0, {}, 0ms, false);
  EXPECT_EQ(give(1), 1u);
}

TEST_F(RosterTest, AtWorkerMaxAStrangerIsRefusedAndAnOldHandIsNot) {
  join(1);
  join(2);
  join(3);
  EXPECT_TRUE(join(4).full);
  EXPECT_EQ(roster.size(), 3u);
  EXPECT_FALSE(join(1).full);
  EXPECT_EQ(roster.size(), 3u);
}

TEST_F(RosterTest, ARepeatedHelloChangesNothing) {
  join(1);
  give(1);
  const auto again = join(1);
  EXPECT_TRUE(again.renewed);
  EXPECT_THAT(again.losses, IsEmpty());
  EXPECT_EQ(roster.outstanding(), 1u);
}

TEST_F(RosterTest, AWorkerOnANewConnectionLosesItsTasksAndKeepsNoOldCredit) {
  join(1, 2);
  give(1);
  give(2);
  const auto joined = roster.join({id(1), wire::Role::classifier, {}, 2}, peer(9), at(1ms));
  EXPECT_TRUE(joined.renewed);
  ASSERT_EQ(joined.losses.size(), 1u);
  EXPECT_THAT(joined.losses[0].tasks, ElementsAre(Task{1, 0}, Task{2, 0}));
  EXPECT_FALSE(ready(1, 0));  // The old connection is nobody's.
  EXPECT_THAT(roster.peer_of(id(1)), Optional(peer(9)));
  EXPECT_EQ(roster.outstanding(), 0u);
}

TEST_F(RosterTest, AConnectionTakenOverByAnotherWorkerLosesTheFirst) {
  join(1);
  give(1);
  const auto joined = roster.join({id(2), wire::Role::classifier, {}, 2}, peer(1), at(1ms));
  EXPECT_FALSE(joined.renewed);
  ASSERT_EQ(joined.losses.size(), 1u);
  EXPECT_EQ(joined.losses[0].worker, id(1));
  EXPECT_THAT(joined.losses[0].tasks, ElementsAre(Task{1, 0}));
  EXPECT_EQ(roster.size(), 1u);
}

TEST_F(RosterTest, AStrangerHasNoCreditToGive) { EXPECT_FALSE(ready(1, 0)); }

TEST_F(RosterTest, ALostWorkerTakesItsTasksAlong) {
  join(1);
  give(7);
  const auto loss = roster.lost(peer(1));
  ASSERT_TRUE(loss);
  EXPECT_EQ(loss->worker, id(1));
  EXPECT_THAT(loss->tasks, ElementsAre(Task{7, 0}));
  EXPECT_FALSE(roster.lost(peer(1)));
  EXPECT_EQ(roster.peer_of(id(1)), std::nullopt);
  EXPECT_EQ(give(8), 0u);
}

TEST_F(RosterTest, AnIdleWorkerLivesAsLongAsItSpeaks) {
  join(1);
  ready(1, 0, {}, 300ms);
  EXPECT_THAT(roster.sweep(at(650ms), 1s), IsEmpty());
  EXPECT_THAT(roster.sweep(at(651ms), 1s), ElementsAre(Field(&Roster::Loss::worker, id(1))));
  EXPECT_EQ(roster.size(), 0u);
}

TEST_F(RosterTest, ABusyWorkerIsJudgedByTheAgeOfItsOldestTask) {
  join(1);
  give(1, 100ms);
  give(2, 500ms);
  EXPECT_THAT(roster.sweep(at(700ms), 1s), IsEmpty());  // Silent for long, but busy.
  const auto losses = roster.sweep(at(701ms), 1s);
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_THAT(losses[0].tasks, ElementsAre(Task{1, 0}, Task{2, 0}));
}

TEST_F(RosterTest, AWorkerMayBeBlockedFromItsTaskOnAndNotBefore) {
  join(1);
  give(1, 340ms);
  ready(1, 1, {}, 400ms);
  EXPECT_THAT(roster.sweep(at(750ms), 1s), IsEmpty());
  EXPECT_EQ(roster.sweep(at(751ms), 1s).size(), 1u);
}

TEST_F(RosterTest, ASuspectIsPickedLastAndClearedByItsAnswer) {
  join(1, 4);
  join(2, 4);
  give(1);
  EXPECT_THAT(roster.sweep(at(200ms), 200ms), IsEmpty());
  EXPECT_EQ(roster.suspects(), 0u);
  roster.sweep(at(201ms), 200ms);
  EXPECT_EQ(roster.suspects(), 1u);
  EXPECT_EQ(give(2, 201ms), 2u);
  EXPECT_EQ(give(3, 201ms), 2u);  // More loaded, but not suspect.
  ready(1, 1, {}, 202ms);
  EXPECT_EQ(roster.suspects(), 0u);
  EXPECT_EQ(give(4, 202ms), 1u);
}

TEST_F(RosterTest, ASweepClearsASuspectWhoseOldestTaskIsYoungAgain) {
  join(1, 4);
  give(1, 0ms);
  give(2, 200ms);
  roster.sweep(at(250ms), 200ms);
  EXPECT_EQ(roster.suspects(), 1u);
  ready(1, 2, {{2}}, 260ms);
  roster.sweep(at(300ms), 200ms);
  EXPECT_EQ(roster.suspects(), 0u);
}

TEST_F(RosterTest, AWorkerIsCountedOnceInTheStrongestOfItsStates) {
  const auto counts = [this] { return roster.standing().workers; };
  join(1);
  EXPECT_THAT(counts(), ElementsAre(1u, 0u, 0u, 0u));
  give(1, 0ms);
  roster.sweep(at(300ms), 200ms);
  EXPECT_THAT(counts(), ElementsAre(0u, 1u, 0u, 0u));
  ready(1, 1, {{1}}, 300ms, true);  // It leaves, and its task is overdue still.
  EXPECT_THAT(counts(), ElementsAre(0u, 0u, 0u, 1u));
  EXPECT_EQ(roster.suspects(), 1u);
}

TEST_F(RosterTest, TheBusyAreThoseWithTasks) {
  join(1);
  join(2);
  EXPECT_THAT(roster.busy(), IsEmpty());
  give(1);
  EXPECT_THAT(roster.busy(), ElementsAre(peer(1)));
}

class Probation : public testing::Test {
 protected:
  Probation() {
    for (std::uint64_t n = 1; n <= 3; ++n) join(n, 1);
  }
  // A task of worker n that takes so long; requires that it is idle.
  void work(std::uint64_t n, wire::Duration service) {
    sequence += 1;
    roster.assign(id(n), wire::Sequence{sequence}, {sequence, 0}, at(now));
    roster.begin(id(n), wire::Sequence{sequence}, at(now));
    ready(n, sequence, now + service);
  }
  // Workers 1 and 2 are quick, 3 takes three times as long; then the roster judges.
  void slow_down() {
    for (int i = 0; i < 5; ++i) {
      for (std::uint64_t n = 1; n <= 3; ++n) work(n, n == 3 ? 300ms : 100ms);
      now += 300ms;
    }
    roster.sweep(at(now), 10s);
  }
  std::uint64_t probed() const {
    const Roster::Worker* worker = roster.due_for_probe({}, at(now));
    return worker ? worker->id.low : 0;
  }

  wire::Duration now = 0ms;
  std::uint64_t sequence = 0;
  Roster roster{{.worker_max = 3, .silence_max = 10s, .task_age_max = 10s, .probe_every = 500ms}};

  Roster::Joined join(std::uint64_t n, std::uint32_t capacity) {
    return roster.join({id(n), wire::Role::classifier, {}, capacity}, peer(n), at(0ms));
  }
  bool ready(std::uint64_t n, std::uint64_t seen, wire::Duration t) {
    return roster.ready(peer(n), {{seen}, {}, false}, at(t));
  }
  void leave(std::uint64_t n) { roster.ready(peer(n), {{sequence}, {}, true}, at(now)); }
  std::uint64_t give(std::uint64_t batch) {
    const Roster::Worker* worker = roster.pick({});
    if (!worker) return 0;
    const wire::WorkerId chosen = worker->id;
    roster.assign(chosen, wire::Sequence{++sequence}, {batch, 0}, at(now));
    return chosen.low;
  }
};

TEST_F(Probation, AWorkerThatIsSlowAgainAndAgainIsPassedOver) {
  slow_down();
  EXPECT_EQ(roster.on_probation(), 1u);
  EXPECT_THAT(roster.standing().workers, ElementsAre(2u, 0u, 1u, 0u));
  EXPECT_EQ(give(100), 1u);
  EXPECT_EQ(give(101), 2u);
  EXPECT_EQ(give(102), 0u);  // It waits for one of the quick.
}

TEST_F(Probation, ItIsProbedNowAndThen) {
  slow_down();
  EXPECT_EQ(probed(), 0u);
  now += 500ms;
  EXPECT_EQ(probed(), 3u);
  EXPECT_EQ(roster.due_for_probe(std::vector{id(3)}, at(now)), nullptr);  // It has that task.
  work(3, 300ms);
  EXPECT_EQ(probed(), 0u);
  now += 500ms;
  EXPECT_EQ(probed(), 3u);
}

TEST_F(Probation, SlowProbesComeEverMoreSeldomAndAQuickOneBringsThemBack) {
  slow_down();
  now += 500ms;
  work(3, 300ms);
  now += 500ms;
  work(3, 300ms);
  roster.sweep(at(now), 10s);
  now += 999ms;
  EXPECT_EQ(probed(), 0u);
  now += 1ms;
  EXPECT_EQ(probed(), 3u);
  work(3, 100ms);
  roster.sweep(at(now), 10s);
  now += 2s;
  work(3, 300ms);
  now += 499ms;
  EXPECT_EQ(probed(), 0u);
  now += 1ms;
  EXPECT_EQ(probed(), 3u);
}

TEST_F(Probation, EndsWhenItsTasksAreAsQuickAsTheOthers) {
  slow_down();
  for (int i = 0; i < 2; ++i) work(3, 100ms);
  roster.sweep(at(now), 10s);
  EXPECT_EQ(roster.on_probation(), 1u);
  work(3, 100ms);
  roster.sweep(at(now), 10s);
  EXPECT_EQ(roster.on_probation(), 0u);
  EXPECT_EQ(give(100), 1u);
  EXPECT_EQ(give(101), 2u);
  EXPECT_EQ(give(102), 3u);
}

TEST_F(Probation, EndsWhenNoOtherWorkerIsLeft) {
  slow_down();
  (void)roster.lost(peer(1));
  EXPECT_EQ(give(100), 2u);
  (void)roster.lost(peer(2));
  EXPECT_EQ(roster.on_probation(), 0u);
  EXPECT_EQ(give(101), 3u);
}

TEST_F(Probation, EndsWhenAllOtherWorkersLeave) {
  slow_down();
  leave(1);
  EXPECT_EQ(roster.on_probation(), 1u);
  leave(2);
  EXPECT_EQ(roster.on_probation(), 0u);
  EXPECT_EQ(give(100), 3u);
  ready(3, sequence, now + 300ms);
  roster.sweep(at(now + 300ms), 10s);  // It is slow still.
  EXPECT_EQ(give(101), 3u);
}

// Worker 3 is given two tasks at a time, of which the second is not needed after 10 ms.
TEST_F(Probation, TasksThatAreTakenBackDoNotHideASlowWorker) {
  (void)roster.lost(peer(3));
  join(3, 2);
  for (int i = 0; i < 5; ++i) {
    for (const std::uint64_t n : {1, 2}) work(n, 100ms);
    for (int task = 0; task < 2; ++task) {
      sequence += 1;
      roster.assign(id(3), {sequence}, {sequence, 0}, at(now));
      roster.begin(id(3), {sequence}, at(now));
    }
    roster.withdraw(id(3), {sequence});
    roster.ready(peer(3), {{sequence}, {{sequence - 1}}, false}, at(now + 10ms));
    now += 300ms;
    ready(3, sequence, now);
  }
  roster.sweep(at(now), 10s);
  EXPECT_EQ(roster.on_probation(), 1u);
  EXPECT_EQ(roster.workers().at(id(3)).health.median(), wire::Duration(300ms));
}

TEST_F(Probation, HowMuchTheWorkersDoFollowsWhoWorks) {
  const auto working = [this] {
    return std::lround(*roster.per_second() * wire::to_seconds(roster.service().mean()));
  };
  slow_down();
  EXPECT_EQ(working(), 2);
  for (int i = 0; i < 3; ++i) work(3, 100ms);
  roster.sweep(at(now), 10s);
  EXPECT_EQ(working(), 3);
  (void)roster.lost(peer(3));
  EXPECT_EQ(working(), 2);
  join(3, 1);
  EXPECT_EQ(working(), 3);
  const auto joins_as = [this](std::uint64_t worker, std::uint64_t connection) {
    roster.join({id(worker), wire::Role::classifier, {}, 1}, peer(connection), at(now));
  };
  joins_as(1, 4);  // A new connection of a known one.
  EXPECT_EQ(working(), 3);
  joins_as(3, 4);  // Known, too, but the connection was another's.
  EXPECT_EQ(working(), 2);
  roster.ready(peer(2), {{}, {}, true}, at(now));
  EXPECT_EQ(working(), 1);
  (void)roster.lost(peer(2));
  EXPECT_EQ(working(), 1);
}

TEST_F(RosterTest, HowMuchTheWorkersDoIsKnownAfterEightTasks) {
  join(1);
  join(2);
  for (std::uint64_t task = 1; task <= 8; ++task) {
    EXPECT_EQ(roster.per_second(), std::nullopt);
    const wire::Duration begun = 100ms * static_cast<int>(task - 1);
    roster.assign(id(1), {task}, {task, 0}, at(begun));
    roster.begin(id(1), {task}, at(begun));
    ready(1, task, {}, begun + 100ms);
  }
  EXPECT_THAT(roster.per_second(), Optional(testing::DoubleNear(20, 0.01)));
  ready(2, 0, {}, 800ms, true);  // One that leaves does nothing any more.
  EXPECT_THAT(roster.per_second(), Optional(testing::DoubleNear(10, 0.01)));
}

TEST_F(RosterTest, AServiceTimeCountsFromWhenTheWorkerHasAllItNeeds) {
  join(1);
  give(1);
  roster.begin(id(1), {1}, at(50ms));
  ready(1, 1, {}, 80ms);
  EXPECT_EQ(roster.service().mean(), 30ms);
}

TEST_F(RosterTest, AServiceTimeDoesNotCountTheTasksBefore) {
  join(1);
  give(1);
  give(2);
  roster.begin(id(1), {1}, at(0ms));
  roster.begin(id(1), {2}, at(0ms));
  ready(1, 2, {{2}}, 40ms);
  ready(1, 2, {}, 80ms);
  EXPECT_EQ(roster.service().mean(), 40ms);
}

TEST_F(RosterTest, ATaskThatWasNeverBegunOrWasWithdrawnHasNoServiceTime) {
  join(1, 3);
  for (std::uint64_t task = 1; task <= 3; ++task) give(task);
  roster.begin(id(1), {1}, at(0ms));
  roster.begin(id(1), {2}, at(0ms));
  roster.withdraw(id(1), {2});
  roster.withdraw(id(1), {1});  // It is being worked on: its time counts.
  ready(1, 3, {{1}}, 1ms);      // The second was taken back; the third had not begun.
  ready(1, 3, {}, 50ms);
  EXPECT_EQ(roster.service().mean(), 50ms);
  roster.withdraw(id(1), {1});
  roster.withdraw(id(9), {1});  // What is not there any more is no concern.
}

TEST_F(RosterTest, AllTasksOfAWorkerButTheFirstAreQueued) {
  join(1, 3);
  for (std::uint64_t task = 1; task <= 2; ++task) give(task);
  EXPECT_FALSE(roster.queued(id(1), {1, 0}));
  const auto queued = roster.queued(id(1), {2, 0});
  ASSERT_TRUE(queued);
  EXPECT_EQ(queued->peer, peer(1));
  EXPECT_EQ(queued->sequence.value, 2u);
  EXPECT_FALSE(roster.queued(id(1), {3, 0}));
  EXPECT_FALSE(roster.queued(id(2), {2, 0}));
  ready(1, 2, {{2}});
  EXPECT_FALSE(roster.queued(id(1), {2, 0}));
}

}  // namespace
}  // namespace broker
