// How a machine's links are wired: the ZeroMQ side of a process, as data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/security/keyring.h"

namespace zmq {
class context_t;
}

namespace runtime {

// One socket of a process.  A machine knows it by its place in the list the loop was given.
struct Link {
  // A router speaks to many peers, each named by its connection; a dealer to the one it connects
  // to.
  enum class Kind : std::uint8_t { router, dealer } kind = Kind::dealer;
  bool bind = false;                            // Else connect.
  std::string endpoint{};                       // tcp://host:port or inproc://name.
  int hwm = 1000;                               // Messages a connection may hold, each way.
  std::uint64_t frame_bytes_max = 1024 * 1024;  // A peer that sends a larger frame is cut off.
  // Encrypted, and both sides known by their keys; without keys, plain.  `name` says which
  // server's keys a client trusts and whom a server admits, and what it lets them say (guard.h).
  std::shared_ptr<KeyStore> keys{};
  LinkName name = LinkName::producers;
};

// Whether it is encrypted: within a process there is nothing to hide.
inline bool keyed(const Link& link) { return link.keys && !link.endpoint.starts_with("inproc://"); }

// What the sockets of a process share: two loops in two threads may talk over inproc:// if they
// have their context in common.  Must outlive its loops.  Its end waits for messages on their way
// out, a second at most.  May be used from any thread.
class Context {
 public:
  Context();
  ~Context();

  zmq::context_t& native() { return *context_; }

 private:
  std::unique_ptr<zmq::context_t> context_;
};

}  // namespace runtime
