// Chooses which of a server's keys a client connects with, and when it opens a new connection.
//
// While a server's key is being replaced, its clients know two keys and cannot tell which one is in
// use: a handshake with the wrong key fails without an error message.  So a client tries the other
// key at once.  If that fails too, it alternates between the keys with a growing back-off.
//
//     handshake succeeds      keep the key
//     fails silently          libzmq retries by itself; open a new connection only for another key
//     refused                 the key was right, but ours is not allowed (yet), and libzmq gives up
//                             for good: open a new connection with the same key
//     ends in another error   libzmq may have given up: open a new connection with the next key
//
// Pure: no sockets; time is an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/security/keys.h"
#include "wire/types.h"

namespace runtime {

class ServerKeySelector {
 public:
  static constexpr wire::Duration kWaitMin = std::chrono::milliseconds(100);
  static constexpr wire::Duration kWaitMax = std::chrono::seconds(2);

  explicit ServerKeySelector(const PublicKey& first) : key_(first), next_(first) {}

  // The server's key to connect with; changes only in on_retry().
  const PublicKey& key() const { return key_; }

  // Cancels a scheduled retry.
  void on_success();
  // Schedules a retry if one is useful.  `known` are the server's keys as they are now; requires at
  // least one.
  enum class Failure : std::uint8_t { silent, refused, ended };
  void on_failure(Failure how, const std::vector<PublicKey>& known, wire::Instant now);

  // When to open a new connection; nullopt if there is no reason to.
  std::optional<wire::Instant> retry_at() const { return retry_at_; }
  // To be called when a new connection is opened.  Returns true if the key has changed.
  bool on_retry();

 private:
  PublicKey key_;
  PublicKey next_;    // The key of the next connection attempt.
  int failures_ = 0;  // Failures since a handshake last succeeded.
  std::optional<wire::Instant> retry_at_;
};

}  // namespace runtime
