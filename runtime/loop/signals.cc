#include "runtime/loop/signals.h"

#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "wire/check.h"

namespace runtime {
namespace {

// The descriptors of the process's Signals object; -1 if there is none.  Global, because a signal
// handler gets no other argument.
std::atomic<int> stop_target = -1;
std::atomic<int> hangup_target = -1;

// Runs on any thread.  eventfd_write is a plain write(2), which is async-signal-safe.
void on_signal(int signal) {
  const int saved = errno;
  const int descriptor = (signal == SIGHUP ? hangup_target : stop_target).load();
  if (descriptor >= 0) eventfd_write(descriptor, 1);
  errno = saved;
}

constexpr std::array kSignals = {SIGTERM, SIGINT, SIGHUP};
// The handlers to restore when the process's Signals object ends.
std::array<struct sigaction, kSignals.size()> before;

void set_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    COLLAGE_CHECK(sigaction(kSignals[i], &action, &before[i]) == 0);
  }
}

void restore_handlers() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before[i], nullptr);
}

}  // namespace

Signals::Signals(Hangup hangup) {
  COLLAGE_CHECK(stop_target.exchange(stop_.descriptor()) == -1);
  hangup_target.store(hangup == Hangup::reloads ? hangup_.descriptor() : stop_.descriptor());
  set_handlers();
  // nohup sets SIGHUP to be ignored, so that a tool outlives its terminal; leave it so.
  const struct sigaction& hangup_before = before[kSignals.size() - 1];
  if (hangup == Hangup::stops && hangup_before.sa_handler == SIG_IGN) {
    sigaction(SIGHUP, &hangup_before, nullptr);
  }
}

Signals::~Signals() {
  restore_handlers();
  stop_target.store(-1);
  hangup_target.store(-1);
}

}  // namespace runtime
