// Chooses which of a server's keys a client connects with, and when it opens a new connection.
//
// While a server's key is being replaced, its clients know two keys and cannot tell which one is in
// use: a handshake with the wrong key fails without an error message.  So a client tries the other
// key at once.  If that fails too, it tries the keys in turn, with a back-off that doubles when all
// have failed.
//
// A client of several servers knows the keys of all, and a handshake also fails because its server
// is away for a moment.  So the key that worked last has its turn between any two others:
//
//     worked with B, knows A B C D:   B fails   C  B  D  B  A  B   wait twice as long   C  B ...
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

  explicit ServerKeySelector(const PublicKey& first) : key_(first), next_(first), other_(first) {}

  // The server's key to connect with; changes only in on_retry().
  const PublicKey& key() const { return key_; }
  // The key of the scheduled retry.
  const PublicKey& next() const { return next_; }

  // Takes note that the key works, and cancels a scheduled retry.
  void on_success();
  // Schedules a retry if one is useful.  `known` are the server's keys as they are now; requires at
  // least one.
  enum class Failure : std::uint8_t { silent, refused, ended };
  void on_failure(Failure how, const std::vector<PublicKey>& known, wire::Instant now);

  // When to open a new connection; nullopt if there is no reason to.
  std::optional<wire::Instant> retry_at() const { return retry_at_; }
  // To be called when a new connection is opened.  Returns true if the key has changed.
  bool on_retry();
  // To be called if none could be opened: the same retry, a little later.
  void put_off(wire::Instant now) { retry_at_ = now + kWaitMin; }

 private:
  PublicKey next_after_failure(const std::vector<PublicKey>& known) const;

  PublicKey key_;
  PublicKey next_;                   // The key of the next connection attempt.
  PublicKey other_;                  // The last in turn, apart from the one that worked.
  std::optional<PublicKey> worked_;  // The key of the last handshake that succeeded.
  int failures_ = 0;                 // Failures since then.
  std::optional<wire::Instant> retry_at_;
};

}  // namespace runtime
