#include "runtime/loop/poll.h"

#include <zmq.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "runtime/loop/clock.h"
#include "wire/check.h"

namespace runtime {
namespace {

bool readable(void* socket) {
  int events = 0;
  std::size_t size = sizeof events;
  // If a signal interrupts it, or the context has ended, receiving will show what there is.
  return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) != 0 || (events & ZMQ_POLLIN) != 0;
}

timespec left_until(wire::Instant until) {
  using std::chrono::nanoseconds;
  const auto left = std::max<nanoseconds>(until - now(), nanoseconds(0));
  timespec out{};
  out.tv_sec = left.count() / std::nano::den;
  out.tv_nsec = left.count() % std::nano::den;
  return out;
}

}  // namespace

void Poll::clear() {
  sources_.clear();
  descriptors_.clear();
}

std::size_t Poll::add_socket(void* socket) {
  int descriptor = -1;
  std::size_t size = sizeof descriptor;
  COLLAGE_CHECK(zmq_getsockopt(socket, ZMQ_FD, &descriptor, &size) == 0);
  sources_.push_back({.socket = socket});
  descriptors_.push_back({.fd = descriptor, .events = POLLIN, .revents = 0});
  return sources_.size() - 1;
}

std::size_t Poll::add_drained_socket(void* socket) {
  const std::size_t source = add_socket(socket);
  sources_[source].drained = true;
  return source;
}

std::size_t Poll::add_descriptor(int descriptor) {
  sources_.push_back({});
  descriptors_.push_back({.fd = descriptor, .events = POLLIN, .revents = 0});
  return sources_.size() - 1;
}

// The descriptor of a ZeroMQ socket tells of changes alone: it may be silent while messages wait,
// and readable though there is none.  So the socket is asked before the wait, for sending and
// receiving may have taken note of a change, and after it if its descriptor was readable.
void Poll::wait(std::optional<wire::Instant> until) {
  bool any = false;
  for (Source& source : sources_) {
    source.ready = source.socket != nullptr && !source.drained && readable(source.socket);
    any |= source.ready;
  }
  timespec left{};
  if (until && !any) left = left_until(*until);
  // A signal interrupts it; what its handler has written is there in the next call.
  const bool forever = !until && !any;
  const int count =
      ppoll(descriptors_.data(), descriptors_.size(), forever ? nullptr : &left, nullptr);
  if (count <= 0) return;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    if (descriptors_[i].revents == 0 || source.ready) continue;
    source.ready = source.socket == nullptr || readable(source.socket);
  }
}

}  // namespace runtime
