#include "runtime/signals.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "wire/check.h"

namespace runtime {
namespace {

// Where the handler writes: the one Signals of the process, or nowhere.
std::atomic<int> target = -1;

// Called on whichever thread the signal finds; eventfd_write is a plain write.
void on_signal(int) {
  const int saved = errno;
  if (const int descriptor = target.load(); descriptor >= 0) eventfd_write(descriptor, 1);
  errno = saved;
}

void set_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  COLLAGE_CHECK(sigaction(SIGTERM, &action, nullptr) == 0);
  COLLAGE_CHECK(sigaction(SIGINT, &action, nullptr) == 0);
}

}  // namespace

Signals::Signals() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  COLLAGE_CHECK(descriptor_ >= 0);
  COLLAGE_CHECK(target.exchange(descriptor_) == -1);
  set_handler(on_signal);
}

Signals::~Signals() {
  set_handler(SIG_DFL);
  target.store(-1);
  close(descriptor_);
}

std::uint64_t Signals::take() {
  eventfd_t taken = 0;
  return eventfd_read(descriptor_, &taken) == 0 ? taken : 0;
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
