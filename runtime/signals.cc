#include "runtime/signals.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "wire/check.h"

namespace runtime {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = stop_signals();
  COLLAGE_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  descriptor_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  COLLAGE_CHECK(descriptor_ >= 0);
}

Signals::~Signals() { close(descriptor_); }

std::uint64_t Signals::take() {
  std::uint64_t taken = 0;
  signalfd_siginfo info;
  while (read(descriptor_, &info, sizeof info) == sizeof info) ++taken;
  return taken;
}

Bell::Bell() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  COLLAGE_CHECK(descriptor_ >= 0);
}

Bell::~Bell() { close(descriptor_); }

void Bell::ring() { COLLAGE_CHECK(eventfd_write(descriptor_, 1) == 0); }

std::uint64_t Bell::take() {
  eventfd_t rung = 0;
  return eventfd_read(descriptor_, &rung) == 0 ? rung : 0;
}

}  // namespace runtime
