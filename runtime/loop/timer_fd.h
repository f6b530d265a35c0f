// A timer that a poll can wait for, exact to about a microsecond.  zmq_poll's own timeout counts
// whole milliseconds, and a patience that ends a millisecond late adds a millisecond to every slot
// that the collage answers.
#pragma once

#include <optional>

#include "wire/types.h"

namespace runtime {

class TimerFd {
 public:
  TimerFd();
  ~TimerFd();
  TimerFd(const TimerFd&) = delete;
  TimerFd& operator=(const TimerFd&) = delete;

  // Makes the descriptor readable from `instant` (of runtime::now()) on, until the next call; never
  // for nullopt.
  void set(std::optional<wire::Instant> instant);
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  std::optional<wire::Instant> instant_;  // The instant of the last set().
};

}  // namespace runtime
