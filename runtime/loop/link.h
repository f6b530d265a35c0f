// A machine's links as data: the ZeroMQ sockets of a process, their endpoints, bounds and keys.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/security/keyring.h"

namespace zmq {
class context_t;
}

namespace runtime {

// One socket of a process.  A machine knows it by its index in the list that the loop was given.
struct Link {
  // A router has many peers, each named by its connection; a dealer has the one that it connects
  // to.
  enum class Kind : std::uint8_t { router, dealer } kind = Kind::dealer;
  bool bind = false;       // True to bind the endpoint, false to connect.
  std::string endpoint{};  // See endpoint.h.
  int send_hwm = 1000;     // Messages that wait to be sent to one peer; more are Undelivered.
  int receive_hwm = 1000;  // Messages of one peer that wait to be received; more wait with it.
  std::uint64_t frame_bytes_max = 1024 * 1024;  // A peer that sends a larger frame is disconnected.
  // With keys the link is encrypted and both sides are authenticated; without keys it is plain.
  std::shared_ptr<KeyStore> keys{};
  // The role of the link in the pipeline (keyring.h).  Used only with keys: it selects the server
  // keys that a client trusts, the roles that a server admits and the messages that it accepts.
  LinkName name = LinkName::producers;
};

// Returns Link::send_hwm for a link whose peers are told of each of the images that are open,
// `open_max` at most: room for all that there may be to tell.  While ZeroMQ's thread waits for
// a processor, the usual 1,000 messages fill up, and a healthy peer would count as lost.
inline int send_hwm_for(std::size_t open_max) {
  // A sink is told that its batch is opened, sealed and settled, and perhaps that it was moved.
  constexpr std::size_t kMessagesPerImage = 4;
  return std::max(Link{}.send_hwm, static_cast<int>(kMessagesPerImage * open_max));
}

// Returns true if the link is encrypted.  Links within a process never are: nobody can listen.
inline bool keyed(const Link& link) { return link.keys && !link.endpoint.starts_with("inproc://"); }

// The ZeroMQ context of a process.  Two loops in two threads can be joined over inproc:// if they
// share their context.  Must outlive its loops.  Its destructor waits at most a second for messages
// that are still being sent.  May be used from any thread.
class Context {
 public:
  Context();
  ~Context();

  zmq::context_t& native() { return *context_; }

 private:
  std::unique_ptr<zmq::context_t> context_;
};

}  // namespace runtime
