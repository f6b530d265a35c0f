#include "runtime/loop/event_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "wire/check.h"

namespace runtime {

EventFd::EventFd() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  COLLAGE_CHECK(descriptor_ >= 0);
}

EventFd::~EventFd() { close(descriptor_); }

void EventFd::notify() { COLLAGE_CHECK(eventfd_write(descriptor_, 1) == 0); }

std::uint64_t EventFd::take() {
  eventfd_t count = 0;
  return eventfd_read(descriptor_, &count) == 0 ? count : 0;
}

}  // namespace runtime
