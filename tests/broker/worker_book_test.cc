#include "broker/worker_book.h"

#include <gmock/gmock.h>

#include "tests/values.h"
#include "wire/codec.h"

namespace broker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::LossCause;
using wire::Role;
using wire::WorkerState;

class WorkerBookTest : public testing::Test {
 protected:
  static wire::WorkerHello hello(std::uint64_t n, std::uint32_t index = 0,
                                 const std::string& host = "a2") {
    return {{2, n}, Role::classifier, {7, 0, "s1"}, 2, {host, "unit", index, 40}};
  }
  static constexpr machine::Peer peer(std::uint64_t n) { return {1, n}; }
  void join(std::uint64_t n, wire::Duration t, std::uint32_t index = 0,
            const std::string& host = "a2") {
    (void)classifiers.join(hello(n, index, host), peer(n), at(t));
    book.on_joined(hello(n, index, host), at(t));
  }
  void update(wire::Duration t) {
    (void)classifiers.sweep(at(t), 1s);
    book.update(classifiers, assemblers, at(t));
  }
  // Has the worker do a task.
  void work(std::uint64_t n, wire::Duration begin, wire::Duration end) {
    classifiers.assign({2, n}, {++sequence}, {1, 0}, at(begin));
    (void)classifiers.ready(peer(n), {{sequence}, {}, false}, at(end));
  }
  std::vector<WorkerState> states(wire::Duration t) const {
    std::vector<WorkerState> states;
    for (const wire::WorkerReport& report : book.reports(at(t))) states.push_back(report.state);
    return states;
  }

  static constexpr Roster::Policy kRoster{
      .worker_max = 300, .silence_max = 1h, .task_age_max = 1h, .probe_every = 2s};
  Roster classifiers{kRoster}, assemblers{kRoster};
  WorkerBook book{{.lost_max = 2, .lost_kept = 60s, .idle_after = 10s}};
  std::uint64_t sequence = 0;
};

TEST_F(WorkerBookTest, ShowsAWorkerThatHasJustJoinedAsReadyAndLaterAsIdle) {
  join(1, 100s);
  update(101s);
  EXPECT_THAT(states(101s), ElementsAre(WorkerState::ready));
  update(111s);
  const auto reports = book.reports(at(112s));
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].state, WorkerState::idle);
  EXPECT_EQ(reports[0].since, 12s);  // Since it joined.
  EXPECT_EQ(reports[0].location, hello(1).location);
  EXPECT_EQ(reports[0].model.version, "s1");
}

TEST_F(WorkerBookTest, AnIdleWorkerIsReadyAgainWithItsNextTask) {
  join(1, 0s);
  update(20s);
  work(1, 30s, 31s);
  update(32s);
  EXPECT_THAT(states(32s), ElementsAre(WorkerState::ready));
  update(42s);
  EXPECT_THAT(states(42s), ElementsAre(WorkerState::idle));
  EXPECT_EQ(book.reports(at(42s))[0].since, 11s);  // Since its last task.
}

TEST_F(WorkerBookTest, TellsHowOldTheOldestTaskOfASuspectIs) {
  join(1, 0s);
  classifiers.assign({2, 1}, {1}, {1, 0}, at(1s));
  update(4s);
  const auto reports = book.reports(at(4s));
  EXPECT_EQ(reports[0].state, WorkerState::suspect);
  EXPECT_EQ(reports[0].oldest_task, 3s);
  EXPECT_EQ(reports[0].tasks, 1u);
  EXPECT_EQ(reports[0].capacity, 2u);
}

TEST_F(WorkerBookTest, TellsWhyAWorkerIsOnProbationSinceWhenAndForHowLong) {
  join(1, 0s, 1);
  join(2, 0s, 2);
  join(3, 0s, 3);
  for (int i = 0; i < 5; ++i) {
    const wire::Duration t = i * 1s;
    work(1, t, t + 100ms);
    work(2, t, t + 100ms);
    work(3, t, t + 600ms);
  }
  update(6s);
  const auto reports = book.reports(at(7s));
  EXPECT_THAT(states(7s),
              ElementsAre(WorkerState::ready, WorkerState::ready, WorkerState::probation));
  EXPECT_EQ(reports[2].since, 1s);
  EXPECT_EQ(reports[2].service_median, 600ms);
  EXPECT_EQ(reports[2].service_usual, 100ms);
  EXPECT_EQ(reports[2].next_probe, 2s);  // As of the update.
}

TEST_F(WorkerBookTest, RemembersWhoWasLostByWhatAndWhen) {
  join(1, 0s);
  book.on_lost({2, 1}, LossCause::silence, false, at(5s));
  const auto reports = book.reports(at(8s));
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].state, WorkerState::lost);
  EXPECT_EQ(reports[0].cause, LossCause::silence);
  EXPECT_EQ(reports[0].since, 3s);
}

TEST_F(WorkerBookTest, ForgetsALossAfterAWhile) {
  join(1, 0s);
  (void)classifiers.lost(peer(1));
  book.on_lost({2, 1}, LossCause::connection, false, at(5s));
  update(65s);
  EXPECT_THAT(book.reports(at(65s)), SizeIs(1));
  update(66s);
  EXPECT_THAT(book.reports(at(66s)), IsEmpty());
}

TEST_F(WorkerBookTest, ForgetsTheOldestLossAtTheBound) {
  for (std::uint64_t n = 1; n <= 3; ++n) {
    join(n, 0s, static_cast<std::uint32_t>(n));
    book.on_lost({2, n}, LossCause::connection, false, at(1s * n));
  }
  const auto reports = book.reports(at(9s));
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_EQ(reports[0].location.index, 2u);
  EXPECT_EQ(reports[1].location.index, 3u);
}

TEST_F(WorkerBookTest, AProcessThatIsBackAtItsPlaceIsNotLostAnyMore) {
  join(1, 0s, 4);
  book.on_lost({2, 1}, LossCause::connection, false, at(5s));
  join(2, 6s, 4);
  EXPECT_THAT(states(6s), ElementsAre(WorkerState::ready));
}

TEST_F(WorkerBookTest, ASuccessorThatJoinedBeforeTheSilenceWasNoticedLeavesNoLoss) {
  join(1, 0s, 4);
  join(2, 1s, 4);
  book.on_lost({2, 1}, LossCause::silence, false, at(2s));
  EXPECT_THAT(states(2s), ElementsAre(WorkerState::ready));
}

TEST_F(WorkerBookTest, AProcessAtAnotherPlaceDoesNotHideALoss) {
  join(1, 0s, 4);
  join(9, 0s, 0, "");
  book.on_lost({2, 1}, LossCause::connection, false, at(5s));
  book.on_lost({2, 9}, LossCause::connection, false, at(5s));
  join(2, 6s, 4, "a3");
  join(3, 6s, 0, "");  // Hosts that are not known are not the same host.
  // By host: two without a name, a2, a3.
  EXPECT_THAT(states(6s), ElementsAre(WorkerState::ready, WorkerState::lost, WorkerState::lost,
                                      WorkerState::ready));
}

TEST_F(WorkerBookTest, AWorkerThatSaidItLeavesIsNotLost) {
  join(1, 0s);
  (void)classifiers.ready(peer(1), {{}, {}, true}, at(1s));
  update(2s);
  EXPECT_THAT(states(2s), ElementsAre(WorkerState::leaving));
  book.on_lost({2, 1}, LossCause::connection, true, at(3s));
  EXPECT_THAT(book.reports(at(3s)), IsEmpty());
}

TEST_F(WorkerBookTest, AWorkerThatSaysHelloAgainKeepsItsState) {
  join(1, 0s);
  update(20s);
  book.on_joined(hello(1), at(21s));
  EXPECT_THAT(states(21s), ElementsAre(WorkerState::idle));
}

TEST_F(WorkerBookTest, ALostWorkerThatIsBackStartsAfresh) {
  join(1, 0s);
  book.on_lost({2, 1}, LossCause::silence, false, at(5s));
  book.on_joined(hello(1), at(6s));
  EXPECT_THAT(states(6s), ElementsAre(WorkerState::ready));
  EXPECT_EQ(book.reports(at(6s))[0].cause, LossCause::none);
}

TEST_F(WorkerBookTest, CutsALongListIntoMessagesThatSayWhereTheyBelong) {
  const std::size_t count = 2 * wire::kWorkersMax + 1;
  for (std::uint32_t n = 1; n <= count; ++n) join(n, 0s, n);
  const auto messages = book.messages(at(1s));
  ASSERT_THAT(messages, SizeIs(3));
  std::uint32_t first = 0;
  for (const wire::WorkerStates& message : messages) {
    EXPECT_EQ(message.first, first);
    EXPECT_EQ(message.total, count);
    first += static_cast<std::uint32_t>(message.workers.size());
  }
  EXPECT_EQ(first, count);
}

TEST_F(WorkerBookTest, AnEmptyListIsAMessageToo) {
  const auto messages = book.messages(at(1s));
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].total, 0u);
}

TEST_F(WorkerBookTest, DescribesAWorkerForTheLog) {
  join(1, 0s, 3);
  EXPECT_EQ(book.described({2, 1}), "00000000 (index 3 on a2, pid 40, unit)");
  EXPECT_EQ(book.described({0x0a1b2c3d00000000, 1}), "0a1b2c3d");
  EXPECT_EQ(place_text({"a2", "", 1, 0}), "index 1 on a2");
}

}  // namespace
}  // namespace broker
