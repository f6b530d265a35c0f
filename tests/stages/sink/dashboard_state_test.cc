#include "stages/sink/dashboard_state.h"

#include <gmock/gmock.h>

#include "tests/values.h"

namespace stages::sink {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using State = DashboardState::Slot::State;
using wire::Source;

constexpr wire::WorkerId kWorker{1, 1}, kOther{1, 2}, kCollage{2, 1};

class DashboardStateTest : public testing::Test {
 protected:
  void open(std::uint64_t n, std::size_t filled = 2, wire::Duration t = 0ms) {
    dashboard.on_opened({batch(n), 2, {}, true});
    dashboard.on_sealed({batch(n), std::vector<wire::Duration>(filled)}, at(t));
  }
  void single(std::uint64_t n, wire::Slot slot, wire::Duration t, wire::WorkerId worker = kWorker) {
    dashboard.on_single({batch(n), slot, worker, false, t, {}, {{{{5}, 0.9f}}, {}}, "s1"}, at(t));
  }
  void settle(std::uint64_t n, wire::Slot slot, Source source, wire::Duration t,
              wire::Reason reason = {}) {
    dashboard.on_settled({batch(n), slot, source, {{{{6}, 0.8f}}, reason}, "c1"}, at(t));
  }
  const DashboardState::Slot& slot(std::size_t i) { return dashboard.batches().back().slots.at(i); }

  DashboardState dashboard{{.batch_max = 2, .latency_max = 3, .worker_max = 2, .window = 2}};
};

TEST_F(DashboardStateTest, ShowsEachSlotWithWhatSettledIt) {
  open(1);
  settle(1, 0, Source::collage, 90ms);
  EXPECT_EQ(slot(0).state, State::settled);
  EXPECT_EQ(slot(0).source, Source::collage);
  EXPECT_EQ(slot(0).answer.label, wire::ClassId{6});
  EXPECT_EQ(slot(1).state, State::waiting);
}

TEST_F(DashboardStateTest, ShowsBlankRejectedAndClosedSlotsAsSuch) {
  open(1, 1);
  EXPECT_EQ(slot(1).state, State::blank);
  settle(1, 0, Source::single, 9ms, wire::Reason::not_an_image);
  EXPECT_EQ(slot(0).state, State::rejected);
  open(2);
  dashboard.on_batch_settled(batch(2));
  EXPECT_EQ(slot(0).state, State::closed);
}

TEST_F(DashboardStateTest, AnAnswerInTimeTakesAsLongWithTheCollageAsWithout) {
  open(1);
  single(1, 0, 80ms);
  settle(1, 0, Source::single, 80ms);
  EXPECT_THAT(dashboard.with_collage().times, ElementsAre(80ms));
  EXPECT_THAT(dashboard.without_collage().times, ElementsAre(80ms));
}

TEST_F(DashboardStateTest, AStragglerTakesLongerWithout) {
  open(1);
  settle(1, 0, Source::collage, 90ms);
  single(1, 0, 700ms);
  EXPECT_THAT(dashboard.with_collage().times, ElementsAre(90ms));
  EXPECT_THAT(dashboard.without_collage().times, ElementsAre(700ms));
  EXPECT_EQ(slot(0).single, wire::ClassId{5});
  EXPECT_EQ(slot(0).answer.label, wire::ClassId{6});
}

TEST_F(DashboardStateTest, OnlyTheFirstAnswerForAnImageAloneCounts) {
  open(1);
  single(1, 0, 80ms);
  single(1, 0, 90ms, kOther);
  EXPECT_THAT(dashboard.without_collage().times, SizeIs(1));
}

TEST_F(DashboardStateTest, AnAnswerThatNeverCameIsCountedWhenItsBatchIsWatchedNoMore) {
  open(1);
  settle(1, 0, Source::collage, 90ms);
  open(2);
  EXPECT_EQ(dashboard.without_collage().never, 0u);
  open(3);
  EXPECT_EQ(dashboard.without_collage().never, 1u);
  EXPECT_THAT(dashboard.batches(), SizeIs(2));
}

TEST_F(DashboardStateTest, ARejectionCameThoughItSaidNothing) {
  open(1);
  settle(1, 0, Source::collage, 90ms);
  dashboard.on_single(
      {batch(1), 0, kWorker, false, 95ms, {}, {{}, wire::Reason::not_an_image}, "s1"}, at(95ms));
  open(2);
  open(3);
  EXPECT_EQ(dashboard.without_collage().never, 0u);
}

TEST_F(DashboardStateTest, TheAgeOfAnAnswerBeforeTheSealIsItsOwn) {
  dashboard.on_opened({batch(1), 2, {}, true});
  dashboard.on_single({batch(1), 0, kWorker, false, 30ms, {}, {{{{5}, 0.9f}}, {}}, "s1"},
                      at(100ms));
  settle(1, 0, Source::single, 100ms);
  EXPECT_THAT(dashboard.with_collage().times, ElementsAre(30ms));
}

TEST_F(DashboardStateTest, KnowsWhoAnswersAndHowFast) {
  open(1);
  single(1, 0, 10ms);
  single(1, 1, 20ms);
  single(1, 1, 30ms);
  dashboard.on_collage({batch(1), kCollage, 40ms, {}, {}, "c1"}, at(40ms));
  const DashboardState::Worker& worker = dashboard.workers().at(kWorker);
  EXPECT_EQ(worker.answers, 3u);
  EXPECT_EQ(worker.heard, at(30ms));
  EXPECT_THAT(worker.ages, ElementsAre(20ms, 30ms));
  EXPECT_TRUE(dashboard.workers().at(kCollage).collage);
}

TEST_F(DashboardStateTest, TheWorkerHeardLongestAgoGivesWay) {
  open(1);
  single(1, 0, 10ms, kOther);
  single(1, 0, 20ms, kWorker);
  dashboard.on_collage({batch(1), kCollage, 40ms, {}, {}, "c1"}, at(40ms));
  EXPECT_THAT(dashboard.workers(), SizeIs(2));
  EXPECT_FALSE(dashboard.workers().contains(kOther));
}

TEST_F(DashboardStateTest, RemembersTheNewestLatencies) {
  open(1);
  open(2);
  settle(1, 0, Source::collage, 1ms);
  settle(1, 1, Source::collage, 2ms);
  settle(2, 0, Source::collage, 3ms);
  settle(2, 1, Source::collage, 4ms);
  EXPECT_THAT(dashboard.with_collage().times, ElementsAre(2ms, 3ms, 4ms));
}

TEST_F(DashboardStateTest, ForgetsTheBatchesOfABrokersLifeBefore) {
  open(1);
  dashboard.on_opened({{{3}, {1}}, 2, {}, true});
  EXPECT_THAT(dashboard.batches(), SizeIs(1));
  settle(1, 0, Source::collage, 1ms);
  EXPECT_THAT(dashboard.with_collage().times, IsEmpty());
}

TEST_F(DashboardStateTest, WhatFitsNoBatchIsNotShown) {
  single(9, 0, 10ms);
  settle(9, 0, Source::single, 10ms);
  open(1);
  single(1, 7, 10ms);
  EXPECT_THAT(dashboard.with_collage().times, IsEmpty());
  EXPECT_THAT(dashboard.without_collage().times, IsEmpty());
}

}  // namespace
}  // namespace stages::sink
