#include "runtime/loop/loop_calls.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

namespace runtime {
namespace {

using namespace std::chrono_literals;

// Waits for a call, as a loop does.
void await(const LoopCalls& calls) {
  pollfd item{calls.descriptor(), POLLIN, 0};
  ASSERT_EQ(poll(&item, 1, 10'000), 1);
}

TEST(LoopCalls, RunOnTheThreadThatReceivesThem) {
  LoopCalls calls;
  std::thread::id where;
  bool done = false;
  std::thread caller([&] { done = calls.call([&] { where = std::this_thread::get_id(); }, 10s); });
  await(calls);
  calls.receive();
  caller.join();
  EXPECT_TRUE(done);
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(LoopCalls, OfABlockedLoopTimeOutAndAreNotRunAfterwards) {
  LoopCalls calls;
  bool called = false;
  EXPECT_FALSE(calls.call([&] { called = true; }, 1ms));
  calls.receive();
  EXPECT_FALSE(called);
}

TEST(LoopCalls, ThatHaveBegunAreWaitedForHoweverLongTheyTake) {
  LoopCalls calls;
  std::atomic<bool> finished = false;
  bool done = false;
  std::promise<void> never;
  const std::shared_future<void> future = never.get_future().share();
  std::thread caller([&] {
    // Calls again if the loop began too late.
    while (!finished) {
      done = calls.call(
          [&] {
            future.wait_for(60ms);  // Longer than the caller would wait.
            finished = true;
          },
          30ms);
    }
  });
  while (!finished) {
    pollfd item{calls.descriptor(), POLLIN, 0};
    if (poll(&item, 1, 10'000) == 1) calls.receive();
  }
  caller.join();
  EXPECT_TRUE(done);
}

TEST(LoopCalls, RunOnePerIterationHoweverManyWait) {
  LoopCalls calls;
  std::atomic<int> count = 0;
  std::vector<std::thread> visitors;
  for (int i = 0; i < 3; ++i) {
    visitors.emplace_back([&] { calls.call([&count] { ++count; }, 10s); });
  }
  for (int turn = 1; turn <= 3; ++turn) {
    await(calls);
    calls.receive();
    EXPECT_EQ(count, turn);
  }
  for (std::thread& caller : visitors) caller.join();
}

TEST(LoopCalls, ToALoopThatHasEndedAreRejectedAtOnce) {
  LoopCalls calls;
  bool done = true;
  std::thread caller([&] { done = calls.call([] {}, 1h); });
  await(calls);
  calls.close();
  caller.join();
  EXPECT_FALSE(done);
  EXPECT_FALSE(calls.call([] {}, 1h));
}

TEST(LoopCalls, ThatThrowEndTheLoopAndHoldNobodyUp) {
  LoopCalls calls;
  bool done = true;
  std::thread caller([&] { done = calls.call([] { throw std::runtime_error("no memory"); }, 1h); });
  await(calls);
  EXPECT_THROW(calls.receive(), std::runtime_error);
  caller.join();
  EXPECT_FALSE(done);
}

TEST(LoopCalls, OfSeveralThreadsAreAllDone) {
  LoopCalls calls;
  std::atomic<int> count = 0;
  std::vector<std::thread> visitors;
  for (int i = 0; i < 8; ++i) {
    visitors.emplace_back([&] { EXPECT_TRUE(calls.call([&count] { ++count; }, 10s)); });
  }
  while (count < 8) {
    await(calls);
    calls.receive();
  }
  for (std::thread& caller : visitors) caller.join();
}

}  // namespace
}  // namespace runtime
