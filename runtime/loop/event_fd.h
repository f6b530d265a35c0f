// A counter that any thread can raise and a poll can wait for (eventfd(2)).
#pragma once

#include <cstdint>

namespace runtime {

// Owns one descriptor.  notify() may be called by any thread and by a signal handler.
class EventFd {
 public:
  EventFd();
  ~EventFd();
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;

  void notify();
  // Readable while there are notifications that take() has not returned.
  int descriptor() const { return descriptor_; }
  // Returns the number of notifications since the last call.  Never blocks.
  std::uint64_t take();

 private:
  int descriptor_;
};

}  // namespace runtime
