// The ZAP handler of a context: it answers libzmq's question whether a key may connect to one of
// our servers.
//
// The loop that has the servers answers the requests, without a thread, so that the handshake and
// the messages are judged by one keyring.  If work blocks the loop for longer than a handshake may
// take (2 s), connecting peers try again.
#pragma once

#include <cstdint>
#include <zmq.hpp>

#include "runtime/loop/link.h"
#include "runtime/loop/log.h"
#include "runtime/security/keyring.h"

namespace runtime {

class Authenticator {
 public:
  // Must be made before the server sockets of the context.  Throws ConfigError if the context has
  // an authenticator already.
  explicit Authenticator(Context& context);

  // Answers pending requests, at most `requests_max`.  Returns true if there may be more.
  bool serve(const Keyring& keyring, std::size_t requests_max, wire::Instant now);

  // The number of requests that were refused so far.
  std::uint64_t refused() const { return refused_; }
  // The ZeroMQ socket to poll for requests.
  void* handle() { return socket_.handle(); }

 private:
  bool serve_one(const Keyring& keyring, wire::Instant now);

  zmq::socket_t socket_;
  LogLimiter limiter_;
  std::uint64_t refused_ = 0;
};

}  // namespace runtime
