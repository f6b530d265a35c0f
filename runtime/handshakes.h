// What libzmq tells of the handshakes of one socket, by a socket monitor.
#pragma once

#include <cstdint>
#include <optional>
#include <zmq.hpp>

#include "runtime/link.h"

namespace runtime {

class Handshakes {
 public:
  // Requires that `socket` is not open yet, and lives longer.
  Handshakes(Context& context, zmq::socket_t& socket);

  enum class Event : std::uint8_t {
    succeeded,
    silent,   // The other side closed the connection, or was too slow.
    refused,  // The other side, or here our ZAP handler, said that the key is not allowed.
    ended,    // By a mistake in the protocol: another mechanism, a wrong key.
    lost,     // A connection that had stood, or had not got that far.
  };
  // The next thing that has happened; nullopt if nothing has.
  std::optional<Event> take();
  // Readable when there is something to take.
  void* handle() { return events_.handle(); }

 private:
  zmq::socket_t events_;
};

}  // namespace runtime
