// Which of a server's keys a client knocks with, and when it knocks anew.
//
// While a server's key is being replaced its clients know two, and cannot know which one it has: a
// handshake with the wrong one fails without a word.  So they try the other at once, and if that
// was not it either, go on in turn, more and more slowly.
//
//     handshake succeeds      keep the key
//     fails without a word    libzmq goes on by itself: only another key is a reason to knock anew
//     refused                 it was the right key, but ours is not allowed (yet), and libzmq gives
//                             up for good: knock anew with the same
//     ends in another error   the same, but with the next
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

  // What to knock with, from the last on_retry() on.
  const PublicKey& key() const { return key_; }

  // Calls off a knock that has not come yet.
  void on_success();
  // `known`: the server's keys as they are now, one at least.
  enum class Failure : std::uint8_t { silent, refused, ended };
  void on_failure(Failure how, const std::vector<PublicKey>& known, wire::Instant now);

  // When to knock anew; nullopt: no reason to.
  std::optional<wire::Instant> retry_at() const { return retry_at_; }
  // Returns whether it is with another key than before.
  bool on_retry();

 private:
  PublicKey key_;
  PublicKey next_;    // From the next knock on.
  int failures_ = 0;  // Since a handshake succeeded.
  std::optional<wire::Instant> retry_at_;
};

}  // namespace runtime
