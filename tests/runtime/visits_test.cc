#include "runtime/visits.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

namespace runtime {
namespace {

using namespace std::chrono_literals;

// Waits until somebody rings, as a loop does.
void await(const Visits& visits) {
  pollfd item{visits.descriptor(), POLLIN, 0};
  ASSERT_EQ(poll(&item, 1, 10'000), 1);
}

TEST(Visits, AreDoneOnTheThreadThatReceivesThem) {
  Visits visits;
  std::thread::id where;
  bool done = false;
  std::thread visitor([&] { done = visits.pay([&] { where = std::this_thread::get_id(); }, 10s); });
  await(visits);
  visits.receive();
  visitor.join();
  EXPECT_TRUE(done);
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(Visits, OfADeafLoopEndAndAreNotDoneAfterwards) {
  Visits visits;
  bool called = false;
  EXPECT_FALSE(visits.pay([&] { called = true; }, 1ms));
  visits.receive();
  EXPECT_FALSE(called);
}

TEST(Visits, ThatHaveBegunAreWaitedForHoweverLongTheyTake) {
  Visits visits;
  bool finished = false, done = false;
  std::thread visitor([&] {
    done = visits.pay(
        [&] {
          std::this_thread::yield();
          finished = true;
        },
        10s);
    EXPECT_TRUE(finished);
  });
  await(visits);
  visits.receive();
  visitor.join();
  EXPECT_TRUE(done);
}

TEST(Visits, OfSeveralThreadsAreAllDone) {
  Visits visits;
  int count = 0;
  std::vector<std::thread> visitors;
  for (int i = 0; i < 8; ++i) {
    visitors.emplace_back([&] { EXPECT_TRUE(visits.pay([&count] { ++count; }, 10s)); });
  }
  while (count < 8) {
    await(visits);
    visits.receive();
  }
  for (std::thread& visitor : visitors) visitor.join();
}

}  // namespace
}  // namespace runtime
