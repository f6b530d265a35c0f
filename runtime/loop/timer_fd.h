// An instant that a poll can wait for, to the microsecond: zmq_poll's own timeout is in whole
// milliseconds, and a patience that ends a millisecond late is a millisecond of every late batch.
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

  // Readable from `instant` (of runtime::now()) on, until set anew; never for nullopt.
  void set(std::optional<wire::Instant> instant);
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  std::optional<wire::Instant> instant_;  // As set last.
};

}  // namespace runtime
