// A ZeroMQ socket as the loop needs it: whole messages in and out, never waiting, no exceptions
// once it stands.
//
// A received payload keeps the memory it was received in; a sent one shares its memory with the
// socket until it has left.  Neither is copied.
#pragma once

#include <cstdint>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "runtime/link.h"
#include "wire/codec.h"
#include "wire/payload.h"

namespace runtime {

// Frames of a message that are kept; no message of ours has as many.
inline constexpr std::size_t kPartsMax = 4;

struct Incoming {
  std::uint64_t peer = 0;  // 0 on a dealer.
  zmq::message_t header;
  std::vector<wire::Payload> payloads;
};

class Socket {
 public:
  // Throws ConfigError that names the endpoint and what is wrong with it.
  Socket(Context& context, const Link& link);

  // Takes the next message that has come, whole: of more than kPartsMax frames the rest is gone,
  // and what is left is no message.  `foreign`: gone, for its sender chose its own routing id.
  enum class Received : std::uint8_t { nothing, message, foreign };
  Received receive(Incoming& in);

  // Hands a message to the connection of `peer`.  `unroutable`: there is none; `blocked`: it is
  // full, or not made yet.
  enum class Sent : std::uint8_t { sent, unroutable, blocked };
  Sent send(std::uint64_t peer, const wire::Frames& frames);

  // The endpoint with the port that was given for port 0.
  std::string bound_endpoint() const;
  void* handle() { return socket_.handle(); }

 private:
  bool receive_part(zmq::message_t& part);
  bool send_part(zmq::message_t part, bool more);

  bool router_;
  zmq::socket_t socket_;
};

}  // namespace runtime
