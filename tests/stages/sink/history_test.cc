#include "stages/sink/history.h"

#include <gmock/gmock.h>

#include "tests/values.h"

namespace stages::sink {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class HistoryTest : public testing::Test {
 protected:
  HistoryTest() { history.advance(at(0s)); }
  void single(std::uint64_t total) { history.on_counts({.single = total}); }

  History history{{.interval = 5s, .sample_max = 3, .latency_max = 4}};
};

TEST_F(HistoryTest, HasASampleWhenAnIntervalIsOver) {
  history.advance(at(4s));
  EXPECT_THAT(history.samples(), IsEmpty());
  history.advance(at(5s));
  ASSERT_THAT(history.samples(), SizeIs(1));
  EXPECT_EQ(history.samples()[0].end, at(5s));
}

TEST_F(HistoryTest, CountsWhatIsAddedToTheTotalsAndNotWhatWasBefore) {
  single(1000);  // The sink joined a broker that had run for a while.
  single(1003);
  single(1010);
  history.advance(at(5s));
  single(1011);
  history.advance(at(10s));
  EXPECT_EQ(history.samples()[0].counts.single, 10u);
  EXPECT_EQ(history.samples()[1].counts.single, 1u);
}

TEST_F(HistoryTest, ABrokerThatRestartsCountsFromZero) {
  single(0);
  single(50);
  single(7);
  EXPECT_EQ(history.recent(1).single, 57u);
}

TEST_F(HistoryTest, SumsTheNewestIntervalsAndWhatCameSince) {
  single(0);
  for (int i = 1; i <= 3; ++i) {
    single(10 * static_cast<std::uint64_t>(i));
    history.advance(at(i * 5s));
  }
  single(31);
  EXPECT_EQ(history.recent(0).single, 1u);
  EXPECT_EQ(history.recent(2).single, 21u);
  EXPECT_EQ(history.recent(99).single, 31u);
  EXPECT_EQ(history.recent_time(2, at(16s)), 11s);
  EXPECT_EQ(history.recent_time(99, at(16s)), 16s);
}

TEST_F(HistoryTest, GivesUpTheOldestIntervalAtTheBound) {
  history.advance(at(25s));
  ASSERT_THAT(history.samples(), SizeIs(3));
  EXPECT_EQ(history.samples()[0].end, at(15s));
}

TEST_F(HistoryTest, HasQuantilesOfEachIntervalAlone) {
  for (const auto latency : {10ms, 40ms, 20ms, 30ms}) history.on_latency(true, latency);
  history.on_latency(false, 90ms);
  history.advance(at(5s));
  history.advance(at(10s));
  const History::Sample& first = history.samples()[0];
  EXPECT_EQ(first.with.count, 4u);
  EXPECT_EQ(first.with.p50, 20ms);
  EXPECT_EQ(first.with.p99, 40ms);
  EXPECT_EQ(first.without.p50, 90ms);
  EXPECT_EQ(history.samples()[1].with.count, 0u);
}

TEST_F(HistoryTest, RemembersTheNewestLatenciesOfAnIntervalAtTheBound) {
  for (int i = 1; i <= 6; ++i) history.on_latency(true, i * 1ms);
  history.advance(at(5s));
  EXPECT_EQ(history.samples()[0].with.count, 4u);
  EXPECT_EQ(history.samples()[0].with.p50, 4ms);  // Of 3, 4, 5 and 6.
}

TEST(History, BeginsWithTheFirstAdvance) {
  History history(History::Policy{});
  EXPECT_EQ(history.recent_time(12, at(100s)), 0s);
  history.advance(at(100s));
  EXPECT_THAT(history.samples(), IsEmpty());
  history.advance(at(105s));
  EXPECT_THAT(history.samples(), SizeIs(1));
}

}  // namespace
}  // namespace stages::sink
