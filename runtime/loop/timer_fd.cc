#include "runtime/loop/timer_fd.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "runtime/loop/clock.h"
#include "wire/check.h"

namespace runtime {

TimerFd::TimerFd() : descriptor_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
}

TimerFd::~TimerFd() { close(descriptor_); }

void TimerFd::set(std::optional<wire::Instant> instant) {
  if (instant == instant_) return;  // Saves a system call in most iterations.
  instant_ = instant;
  itimerspec timer{};  // All zeros disarm the timer.
  if (instant) {
    using std::chrono::nanoseconds;
    // At least a nanosecond, because zero would disarm the timer.
    const auto left = std::max<nanoseconds>(*instant - now(), nanoseconds(1));
    timer.it_value.tv_sec = left.count() / std::nano::den;
    timer.it_value.tv_nsec = left.count() % std::nano::den;
  }
  COLLAGE_CHECK(timerfd_settime(descriptor_, 0, &timer, nullptr) == 0);
}

}  // namespace runtime
