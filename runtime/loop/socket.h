// A ZeroMQ socket for the loop: it sends and receives whole messages, never blocks, and throws only
// in its constructor.
//
// Payloads are not copied: a received payload keeps the memory in which it was received, and a sent
// payload shares its memory with the socket until it has been sent.
//
// The client of a server with keys connects with one of the server's keys, and with another one if
// that fails (server_key_selector.h).  Each change of the key takes a new ZeroMQ socket; while
// the process can open none, for lack of descriptors, the old one stays.  Until a handshake has
// succeeded, messages are therefore queued here, up to Link::send_hwm, so that none is lost with
// the old socket.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "runtime/loop/endpoint.h"
#include "runtime/loop/handshakes.h"
#include "runtime/loop/link.h"
#include "runtime/security/server_key_selector.h"
#include "wire/codec.h"
#include "wire/payload.h"

namespace runtime {

// The number of frames of a message that are kept; no valid message has as many.
inline constexpr std::size_t kPartsMax = 4;

struct Incoming {
  std::uint64_t peer = 0;  // The sender's number; 0 on a dealer.
  zmq::message_t header;
  std::vector<wire::Payload> payloads;

  // The public key of the sender, on a link with keys; valid as long as the header.
  std::string_view key();
  // The sender's IP address; "an unknown address" on other links than tcp://.
  std::string_view address();
};

// What happened to connections.
struct HandshakeCounters {
  std::uint64_t failed = 0;         // Handshakes that failed without a refusal.
  std::uint64_t refused = 0;        // Handshakes in which the server refused our key.
  std::uint64_t other_key = 0;      // New connections with another of the server's keys.
  std::uint64_t accepted = 0;       // New connections of a server.
  std::uint64_t accept_failed = 0;  // Connections that could not be accepted.
  // Why no new socket could be opened, the last time; it is tried again.  Empty: none was needed,
  // or it could.
  std::string not_reopened{};
};

class Socket {
 public:
  // Throws ConfigError, which names the endpoint and the reason.  The context must outlive the
  // socket.
  Socket(Context& context, const Link& link);

  // Takes the next message, if there is one.  Frames beyond kPartsMax are dropped; what is left
  // does not decode.  `foreign`: the message was dropped, because its sender chose its own routing
  // id.
  enum class Received : std::uint8_t { nothing, message, foreign };
  Received receive(Incoming& in);

  // Passes a message to the connection of `peer`.  `unroutable`: the peer has no connection.
  // `blocked`: the connection's queue is full, or there are too many messages without a connection.
  enum class Sent : std::uint8_t { sent, unroutable, blocked };
  Sent send(std::uint64_t peer, const wire::Frames& frames);

  // Handles up to `events_max` events of connections, reconnects if necessary, and adds to
  // `counters`.  Returns true if there may be more events.  Only links with keys and servers of
  // tcp:// have events.
  bool poll_handshakes(std::size_t events_max, wire::Instant now, HandshakeCounters& counters);
  // Whether poll_handshakes has more to do than to handle events: a client with keys.
  bool may_reconnect() const { return server_key_.has_value(); }
  // When to call poll_handshakes even if there is no result; nullopt: never.
  std::optional<wire::Instant> next_timeout() const;
  // Lets new connections wait in the network, or no longer, while the others go on.  Only servers
  // of tcp:// do so.  False: the system refused.
  bool accept_connections(bool yes);
  // The ZeroMQ socket to poll for events of connections; null if there are none.
  void* handshake_handle() { return handshakes_ ? handshakes_->handle() : nullptr; }

  // The endpoint, with the port that the system chose for port 0.
  std::string bound_endpoint() const;
  void* handle() { return socket_.handle(); }
  const Link& link() const { return link_; }

 private:
  // A ZeroMQ socket that is bound or connected, and its events.
  struct Opened {
    zmq::socket_t socket;
    std::optional<Handshakes> handshakes;  // Null if the link has no events.
  };

  Opened open(const PublicKey* server) const;
  void use(Opened opened);
  void reopen(wire::Instant now);
  void on_handshake(Handshakes::Happened happened);
  bool receive_part(zmq::message_t& part);
  bool send_part(zmq::message_t part, bool more);
  Sent send_now(std::uint64_t peer, const wire::Frames& frames);
  void send_held();

  Link link_;
  Dialled dialled_;
  bool router_;
  Context* context_;
  zmq::socket_t socket_;
  std::optional<Handshakes> handshakes_;               // As in Opened.
  int listener_ = -1;                                  // The listening descriptor of tcp://.
  HandshakeCounters unreported_;                       // Counts since the last poll_handshakes.
  std::optional<ServerKeySelector> server_key_;        // Only for a client on a link with keys.
  std::optional<ServerKeySelector::Failure> failure_;  // The last failure, not handled yet.
  bool up_ = false;                // A handshake has succeeded and its connection exists.
  std::deque<wire::Frames> held_;  // Messages to be sent once the connection is up.
};

}  // namespace runtime
