// The ZAP handler of a context: libzmq asks it for every key that knocks at a server of ours.
//
// Served by the loop that has the servers, not by a thread of its own: what it decides by is then
// what the loop decides by.  A loop that is deaf at its work for longer than a handshake may take
// (2 s) makes its peers knock again.
#pragma once

#include <cstdint>
#include <zmq.hpp>

#include "runtime/loop/link.h"
#include "runtime/loop/log.h"
#include "runtime/security/keyring.h"

namespace runtime {

class Authenticator {
 public:
  // To be made before the sockets that it guards.  Throws ConfigError if the context has one.
  explicit Authenticator(Context& context);

  // Answers what has been asked, at most so many; true if there may be more.
  bool serve(const Keyring& keyring, std::size_t requests_max, wire::Instant now);

  std::uint64_t refused() const { return refused_; }
  void* handle() { return socket_.handle(); }

 private:
  bool serve_one(const Keyring& keyring, wire::Instant now);

  zmq::socket_t socket_;
  LogLimiter limiter_;
  std::uint64_t refused_ = 0;
};

}  // namespace runtime
