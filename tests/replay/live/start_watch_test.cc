#include "replay/live/start_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "replay/live/process.h"
#include "tests/values.h"

namespace replay::live {
namespace {

using namespace std::chrono_literals;

TEST(StartWatch, ASlowProcessThatIsAliveIsWaitedForUntilTheLimit) {
  const StartWatch watch(at(5s), 10min);
  EXPECT_EQ(watch.hopeless({}, at(5s)), std::nullopt);
  EXPECT_EQ(watch.hopeless({}, at(5s + 10min - 1ns)), std::nullopt);
  EXPECT_EQ(watch.hopeless({}, at(5s + 10min)), "not ready after 600 s");
}

TEST(StartWatch, AProcessThatHasExitedEndsTheWaitAtOnce) {
  const StartWatch watch(at(5s), 10min);
  EXPECT_EQ(watch.hopeless({{"sink", 2}}, at(5s)), "sink has exited with 2");
}

TEST(StartWatch, AProcessThatWasAbsentBeforeTheWaitDoesNotEndIt) {
  const StartWatch watch(at(0s), 10min, {{"classifier-3", 137}});
  EXPECT_EQ(watch.hopeless({{"classifier-3", 137}}, at(1s)), std::nullopt);
  EXPECT_EQ(watch.hopeless({{"classifier-3", 137}, {"broker", 2}}, at(1s)),
            "broker has exited with 2");
}

// The same with real processes, of which none is ever ready: one lives on, the other exits.
TEST(StartWatch, TellsALiveProcessFromOneThatHasExited) {
  const std::filesystem::path log = std::filesystem::path(testing::TempDir()) / "start_watch.log";
  Process alive({"/usr/bin/tail", "-f", "/dev/null"}, log);
  Process broken({"/bin/sh", "-c", "exit 3"}, log);
  const StartWatch watch(at(0s), 10min);
  std::optional<std::string> reason;
  while (!reason) {
    Exited exited;
    if (const auto code = alive.exited()) exited.emplace_back("alive", *code);
    if (const auto code = broken.exited()) exited.emplace_back("broken", *code);
    reason = watch.hopeless(exited, at(1min));
  }
  EXPECT_EQ(reason, "broken has exited with 3");
  alive.wait(0s);
  std::filesystem::remove(log);
}

}  // namespace
}  // namespace replay::live
