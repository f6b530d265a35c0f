// The connections of one socket and the results of their handshakes, as events of a ZeroMQ socket
// monitor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <zmq.hpp>

#include "runtime/loop/link.h"

namespace runtime {

class Handshakes {
 public:
  // Requires that `socket` is not connected or bound yet, and that it outlives this object.
  Handshakes(Context& context, zmq::socket_t& socket);

  enum class Event : std::uint8_t {
    succeeded,
    silent,   // The other side closed the connection without an error, or was too slow.
    refused,  // The key is not allowed: the other side refused ours, or our ZAP handler refused it.
    ended,    // The handshake broke the protocol: another mechanism, a wrong key.
    lost,     // A connection ended, after its handshake or before it.
    listening,      // The socket listens; the descriptor is the listener's.
    accepted,       // There is a new connection; the descriptor is its.
    accept_failed,  // A connection that came could not be accepted.
  };
  struct Happened {
    Event event;
    int descriptor = -1;
  };
  // Returns the next event; nullopt if there is none.
  std::optional<Happened> take();
  // The ZeroMQ socket to poll for events.
  void* handle() { return events_.handle(); }

 private:
  // Ends the monitor.  Without this, libzmq's I/O thread would block for ever on an event that
  // nobody reads.
  struct Stop {
    void operator()(void* socket) const;
  };

  zmq::socket_t events_;
  std::unique_ptr<void, Stop> watched_;  // Declared last, so that the monitor ends before events_.
};

}  // namespace runtime
