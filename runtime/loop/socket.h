// A ZeroMQ socket as the loop needs it: whole messages in and out, never waiting, no exceptions
// once it stands.
//
// A received payload keeps the memory it was received in; a sent one shares its memory with the
// socket until it has left.  Neither is copied.
//
// A client of a server with keys knocks with one of the server's keys, and with another one if that
// fails (server_key.h).  That takes a new ZeroMQ socket, so until a handshake has succeeded
// messages wait here, as many as a connection may hold, and none is lost with the old one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "runtime/loop/handshakes.h"
#include "runtime/loop/link.h"
#include "runtime/security/server_key_selector.h"
#include "wire/codec.h"
#include "wire/payload.h"

namespace runtime {

// Frames of a message that are kept; no message of ours has as many.
inline constexpr std::size_t kPartsMax = 4;

struct Incoming {
  std::uint64_t peer = 0;  // 0 on a dealer.
  zmq::message_t header;
  std::vector<wire::Payload> payloads;

  // The public key of the sender, on a link with keys; valid as long as the header.
  std::string_view key();
};

// What became of handshakes on links with keys.
struct HandshakeCounters {
  std::uint64_t failed = 0;     // But for those that a ZAP handler refused.
  std::uint64_t refused = 0;    // Servers that do not allow our key.
  std::uint64_t other_key = 0;  // Tried another of a server's keys.
};

class Socket {
 public:
  // Throws ConfigError that names the endpoint and what is wrong with it.  The context must outlive
  // the socket.
  Socket(Context& context, const Link& link);

  // Takes the next message that has come, whole: of more than kPartsMax frames the rest is gone,
  // and what is left is no message.  `foreign`: gone, for its sender chose its own routing id.
  enum class Received : std::uint8_t { nothing, message, foreign };
  Received receive(Incoming& in);

  // Hands a message to the connection of `peer`.  `unroutable`: there is none; `blocked`: it is
  // full, or not made yet.
  enum class Sent : std::uint8_t { sent, unroutable, blocked };
  Sent send(std::uint64_t peer, const wire::Frames& frames);

  // Looks at what has become of handshakes, at most `events_max`, and does what that asks for; true
  // if there may be more.  Nothing on a plain link.
  bool poll_handshakes(std::size_t events_max, wire::Instant now, HandshakeCounters& counters);
  // When to tend it even if nothing happens.
  std::optional<wire::Instant> next_timeout() const;
  // Readable when there is something to tend; null on a plain link.
  void* handshake_handle() { return handshakes_ ? handshakes_->handle() : nullptr; }

  // The endpoint with the port that was given for port 0.
  std::string bound_endpoint() const;
  void* handle() { return socket_.handle(); }
  const Link& link() const { return link_; }

 private:
  void open();
  void reopen();
  void on_handshake(Handshakes::Event event);
  bool receive_part(zmq::message_t& part);
  bool send_part(zmq::message_t part, bool more);
  Sent send_now(std::uint64_t peer, const wire::Frames& frames);
  void send_held();

  Link link_;
  bool router_;
  Context* context_;
  zmq::socket_t socket_;
  // On links with keys.
  std::optional<Handshakes> handshakes_;
  HandshakeCounters unreported_;  // Not yet reported.
  // On a client's.
  std::optional<ServerKeySelector> server_key_;
  std::optional<ServerKeySelector::Failure> failure_;  // The last one, not yet acted on.
  bool up_ = false;                // A handshake has succeeded and its connection stands.
  std::deque<wire::Frames> held_;  // To be sent once it is up.
};

}  // namespace runtime
