// The ZeroMQ authentication protocol, version 1.0: what is answered to a handshake, purely.
//
// libzmq asks for every peer that has proven to own its CURVE key whether it may come in; we admit
// keys by the link they knock at.  The user id of an admitted connection is its public key as text,
// not the name we know it by: so that a key that is taken off the list while its connection stands
// is found out with the next message.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/security/keyring.h"

namespace runtime {

struct ZapAnswer {
  std::vector<std::string> frames;  // The reply as it goes back.
  bool admitted = false;
  std::string address;  // Of the peer, fit for a log.
  std::string why;      // If it is not admitted.
};

// `frames` as they came, the first being the version.  Whatever is not to the letter is refused.
ZapAnswer answer_zap(std::span<const std::string> frames, const Keyring& keyring);

}  // namespace runtime
