#include "runtime/loop/handshakes.h"

#include <atomic>
#include <cstring>
#include <string>

#include "wire/check.h"

namespace runtime {
namespace {

constexpr int kEvents = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                        ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED |
                        ZMQ_EVENT_ACCEPT_FAILED;

// The address must be unique in its context; the counter makes it unique in the process.
std::string unused_address() {
  static std::atomic<std::uint64_t> number = 0;
  return "inproc://handshakes-" + std::to_string(++number);
}

Handshakes::Event event_of(std::uint16_t number) {
  switch (number) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      return Handshakes::Event::succeeded;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      return Handshakes::Event::silent;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      return Handshakes::Event::refused;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      return Handshakes::Event::ended;
    case ZMQ_EVENT_LISTENING:
      return Handshakes::Event::listening;
    case ZMQ_EVENT_ACCEPTED:
      return Handshakes::Event::accepted;
    case ZMQ_EVENT_ACCEPT_FAILED:
      return Handshakes::Event::accept_failed;
    default:
      return Handshakes::Event::lost;
  }
}

}  // namespace

Handshakes::Handshakes(Context& context, zmq::socket_t& socket)
    : events_(context.native(), zmq::socket_type::pair) {
  const std::string address = unused_address();
  if (zmq_socket_monitor(socket.handle(), address.c_str(), kEvents) != 0) throw zmq::error_t();
  watched_.reset(socket.handle());
  events_.set(zmq::sockopt::linger, 0);
  events_.connect(address);
  // From now on the descriptor tells of each event: a pipe of libzmq says nothing of the first
  // messages until it has once been found empty.
  COLLAGE_CHECK(!take());
}

void Handshakes::Stop::operator()(void* socket) const { zmq_socket_monitor(socket, nullptr, 0); }

std::optional<Handshakes::Happened> Handshakes::take() {
  // An event has two frames: its number and value, then the address, which is not needed.
  zmq::message_t frame;
  for (;;) {
    if (zmq_msg_recv(frame.handle(), events_.handle(), ZMQ_DONTWAIT) >= 0) break;
    if (errno == EAGAIN) return std::nullopt;
    COLLAGE_CHECK(errno == EINTR);
  }
  std::uint16_t number = 0;
  std::int32_t value = 0;
  COLLAGE_CHECK(frame.size() == sizeof number + sizeof value);
  std::memcpy(&number, frame.data(), sizeof number);
  std::memcpy(&value, frame.data<std::uint8_t>() + sizeof number, sizeof value);
  while (frame.more()) {
    frame.rebuild();
    COLLAGE_CHECK(zmq_msg_recv(frame.handle(), events_.handle(), ZMQ_DONTWAIT) >= 0);
  }
  return Happened{event_of(number), value};
}

}  // namespace runtime
