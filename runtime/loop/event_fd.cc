#include "runtime/loop/event_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "wire/check.h"

namespace runtime {

// Non-blocking, because another thread may have taken what a poll has seen.
EventFd::EventFd() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  // A program that links the client may well be out of descriptors.
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

EventFd::~EventFd() { close(descriptor_); }

void EventFd::notify() { COLLAGE_CHECK(eventfd_write(descriptor_, 1) == 0); }

std::uint64_t EventFd::take() {
  eventfd_t count = 0;
  return eventfd_read(descriptor_, &count) == 0 ? count : 0;
}

}  // namespace runtime
