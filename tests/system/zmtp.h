// Bytes of ZMTP 3.0, the protocol of ZeroMQ, for tests that speak it by hand: a peer of libzmq's
// own cannot be told to choose any routing id or to stop half-way.
#pragma once

#include <string>
#include <string_view>

#include "wire/codec.h"

namespace system_test::zmtp {

inline constexpr int kGreetingBytes = 64;

// The first 64 bytes of a peer without keys.
std::string greeting();
// The command that ends the handshake.  `routing_id` is what the peer wants to be called, at most
// 255 bytes; empty: the server chooses.
std::string ready(std::string_view routing_id);
// A message, frame by frame.
std::string message(const wire::Message& message);

// The number of messages in what a server sent, whole or begun, without the greeting and commands.
std::size_t messages_in(std::string_view received);

}  // namespace system_test::zmtp
