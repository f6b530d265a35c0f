// Answers requests of ZAP, the ZeroMQ authentication protocol, version 1.0.  Pure: no sockets.
//
// For every peer that has proven to own its CURVE key, libzmq asks whether the peer may connect.  A
// key is admitted by its role and the link that it connects to.  The user id of an admitted
// connection is its public key as text, not the key's name: the name is looked up at each message,
// so a key that is removed from the list has no effect from then on, although libzmq cannot close
// its connection.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/security/keyring.h"

namespace runtime {

struct ZapAnswer {
  std::vector<std::string> frames;  // The reply, frame by frame.
  bool admitted = false;
  std::string address;  // The peer's address, printable.
  std::string why;      // Why the peer is not admitted; empty if it is.
};

// `frames` is the whole request, the version first.  A request with any deviation is refused.
ZapAnswer answer_zap(std::span<const std::string> frames, const Keyring& keyring);

}  // namespace runtime
