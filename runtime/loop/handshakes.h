// What libzmq tells of the handshakes of one socket, by a socket monitor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <zmq.hpp>

#include "runtime/loop/link.h"

namespace runtime {

class Handshakes {
 public:
  // Requires that `socket` is not connected or bound yet, and lives longer.
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
  // libzmq's thread would wait for ever to tell of an event once nobody listens.
  struct Stop {
    void operator()(void* socket) const;
  };

  zmq::socket_t events_;
  std::unique_ptr<void, Stop> watched_;  // Ends before events_.
};

}  // namespace runtime
