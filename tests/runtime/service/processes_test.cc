#include "runtime/service/processes.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "tests/runtime/service/systemd_stand_in.h"

namespace runtime {
namespace {

constexpr int kLongMs = 20'000;

// What children tell the test.
struct Told {
  std::size_t number = 0;
  pid_t process = 0;
  int what = 0;
};
constexpr int kBegun = 0;

int tell_target = -1;
std::size_t own_number = 0;

void tell(int what) {
  const Told told{own_number, getpid(), what};
  (void)!write(tell_target, &told, sizeof told);
}

// Begins, tells of every SIGHUP and ends at SIGTERM.
int loyal(std::size_t number) {
  own_number = number;
  struct sigaction action {};
  action.sa_handler = [](int signal) { tell(signal); };
  sigaction(SIGHUP, &action, nullptr);
  action.sa_handler = [](int) { std::_Exit(0); };
  sigaction(SIGTERM, &action, nullptr);
  tell(kBegun);
  for (;;) pause();
}

// The parent of the processes, as a process of the test's.
class Parent {
 public:
  Parent(std::size_t count, const std::function<int(std::size_t)>& child) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    process_ = fork();
    if (process_ == 0) {
      setpgid(0, 0);
      close(ends[0]);
      tell_target = ends[1];
      std::_Exit(run_processes(count, "child", child));
    }
    close(ends[1]);
    told_ = ends[0];
  }
  ~Parent() {
    if (process_ > 0) {
      kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
    close(told_);
  }
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

  void signal(int signal) const { kill(process_, signal); }
  void signal_group(int signal) const { kill(-process_, signal); }
  // Its exit code, once it has ended; -1 if a signal has ended it.
  int await_end() {
    int status = 0;
    waitpid(std::exchange(process_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // The next that a child tells; a `what` of -1 if all of them have ended.
  Told next() const {
    pollfd waiting{.fd = told_, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&waiting, 1, kLongMs), 1) << "no child says anything";
    Told told;
    return read(told_, &told, sizeof told) == sizeof told ? told : Told{0, 0, -1};
  }
  // Processes by their numbers, as so many begin.
  std::map<std::size_t, pid_t> begun(std::size_t count) const {
    std::map<std::size_t, pid_t> processes;
    for (std::size_t i = 0; i < count; ++i) {
      const Told told = next();
      EXPECT_EQ(told.what, kBegun);
      processes[told.number] = told.process;
    }
    return processes;
  }

 private:
  pid_t process_ = -1;
  int told_ = -1;
};

TEST(Processes, EachHasItsNumberAndEndsWithTheParent) {
  Parent parent(3, loyal);
  const auto processes = parent.begun(3);
  EXPECT_EQ(processes.size(), 3u);
  EXPECT_TRUE(processes.contains(0) && processes.contains(1) && processes.contains(2));
  parent.signal(SIGTERM);
  EXPECT_EQ(parent.await_end(), 0);
  EXPECT_EQ(parent.next().what, -1);
}

TEST(Processes, OneThatEndsByItselfBeginsAnew) {
  Parent parent(2, loyal);
  auto processes = parent.begun(2);
  kill(processes[1], SIGKILL);
  const Told told = parent.next();
  EXPECT_EQ(told.number, 1u);
  EXPECT_NE(told.process, processes[1]);
  parent.signal(SIGTERM);
  EXPECT_EQ(parent.await_end(), 0);
}

TEST(Processes, WhatTheParentsGroupGetsReachesEachOnce) {
  Parent parent(2, loyal);
  (void)parent.begun(2);
  parent.signal_group(SIGHUP);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(parent.next().what, SIGHUP);
  parent.signal(SIGTERM);
  EXPECT_EQ(parent.await_end(), 0);
  EXPECT_EQ(parent.next().what, -1);  // Without a second SIGHUP before.
}

TEST(Processes, OneThatCannotStartEndsAll) {
  Parent parent(2, [](std::size_t number) { return number == 0 ? loyal(number) : 2; });
  EXPECT_EQ(parent.await_end(), 2);
}

TEST(Processes, TheWorstExitCodeIsTheParents) {
  Parent parent(2, [](std::size_t number) {
    if (number == 0) return loyal(number);
    own_number = number;
    struct sigaction action {};
    action.sa_handler = [](int) { std::_Exit(1); };
    sigaction(SIGTERM, &action, nullptr);
    tell(kBegun);
    for (;;) pause();
  });
  (void)parent.begun(2);
  parent.signal(SIGTERM);
  EXPECT_EQ(parent.await_end(), 1);
}

TEST(Processes, AHangupIsPassedOn) {
  Parent parent(2, loyal);
  (void)parent.begun(2);
  parent.signal(SIGHUP);
  std::set<std::size_t> reloaded;
  for (int i = 0; i < 2; ++i) {
    const Told told = parent.next();
    EXPECT_EQ(told.what, SIGHUP);
    reloaded.insert(told.number);
  }
  EXPECT_EQ(reloaded.size(), 2u);
}

TEST(Processes, WithoutTheParentTheyEnd) {
  Parent parent(2, loyal);
  (void)parent.begun(2);
  parent.signal(SIGKILL);
  EXPECT_EQ(parent.await_end(), -1);
  EXPECT_EQ(parent.next().what, -1);
}

TEST(Processes, SystemdIsToldOfTheParentAlone) {
  const SystemdStandIn systemd;
  Parent parent(1, [](std::size_t number) {
    return std::getenv("NOTIFY_SOCKET") == nullptr ? loyal(number) : 2;
  });
  EXPECT_EQ(parent.begun(1).size(), 1u);
  EXPECT_EQ(systemd.next(), "READY=1");
  parent.signal(SIGTERM);
  EXPECT_EQ(systemd.next(), "STOPPING=1");
  EXPECT_EQ(parent.await_end(), 0);
  EXPECT_TRUE(systemd.heard().empty());
}

TEST(Processes, TheParentFeedsTheWatchdogWhileItRuns) {
  const SystemdStandIn systemd;
  setenv("WATCHDOG_USEC", "2000", 1);
  Parent parent(1, loyal);
  EXPECT_EQ(systemd.next(), "READY=1");
  for (int beat = 0; beat < 3; ++beat) EXPECT_EQ(systemd.next(), "WATCHDOG=1");
}

}  // namespace
}  // namespace runtime
