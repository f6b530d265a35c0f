#include "runtime/loop/loop_calls.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace runtime {
namespace {

using namespace std::chrono_literals;

// Waits until somebody rings, as a loop does.
void await(const LoopCalls& visits) {
  pollfd item{visits.descriptor(), POLLIN, 0};
  ASSERT_EQ(poll(&item, 1, 10'000), 1);
}

TEST(LoopCalls, AreDoneOnTheThreadThatReceivesThem) {
  LoopCalls visits;
  std::thread::id where;
  bool done = false;
  std::thread visitor(
      [&] { done = visits.call([&] { where = std::this_thread::get_id(); }, 10s); });
  await(visits);
  visits.receive();
  visitor.join();
  EXPECT_TRUE(done);
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(LoopCalls, OfADeafLoopEndAndAreNotDoneAfterwards) {
  LoopCalls visits;
  bool called = false;
  EXPECT_FALSE(visits.call([&] { called = true; }, 1ms));
  visits.receive();
  EXPECT_FALSE(called);
}

TEST(LoopCalls, ThatHaveBegunAreWaitedForHoweverLongTheyTake) {
  LoopCalls visits;
  std::atomic<bool> finished = false;
  bool done = false;
  std::promise<void> never;
  const std::shared_future<void> future = never.get_future().share();
  std::thread visitor([&] {
    // Again if the loop was too late to begin.
    while (!finished) {
      done = visits.call(
          [&] {
            future.wait_for(60ms);  // Longer than the visitor would wait.
            finished = true;
          },
          30ms);
    }
  });
  while (!finished) {
    pollfd item{visits.descriptor(), POLLIN, 0};
    if (poll(&item, 1, 10'000) == 1) visits.receive();
  }
  visitor.join();
  EXPECT_TRUE(done);
}

TEST(LoopCalls, AreReceivedOneATurnHoweverManyWait) {
  LoopCalls visits;
  std::atomic<int> count = 0;
  std::vector<std::thread> visitors;
  for (int i = 0; i < 3; ++i) {
    visitors.emplace_back([&] { visits.call([&count] { ++count; }, 10s); });
  }
  for (int turn = 1; turn <= 3; ++turn) {
    await(visits);
    visits.receive();
    EXPECT_EQ(count, turn);
  }
  for (std::thread& visitor : visitors) visitor.join();
}

TEST(LoopCalls, ToALoopThatHasEndedAreTurnedAwayAtOnce) {
  LoopCalls visits;
  bool done = true;
  std::thread visitor([&] { done = visits.call([] {}, 1h); });
  await(visits);
  visits.close();
  visitor.join();
  EXPECT_FALSE(done);
  EXPECT_FALSE(visits.call([] {}, 1h));
}

TEST(LoopCalls, OfSeveralThreadsAreAllDone) {
  LoopCalls visits;
  std::atomic<int> count = 0;
  std::vector<std::thread> visitors;
  for (int i = 0; i < 8; ++i) {
    visitors.emplace_back([&] { EXPECT_TRUE(visits.call([&count] { ++count; }, 10s)); });
  }
  while (count < 8) {
    await(visits);
    visits.receive();
  }
  for (std::thread& visitor : visitors) visitor.join();
}

}  // namespace
}  // namespace runtime
