// Remembers which peers of a ROUTER link speak an older version of the protocol, so that each peer
// is answered in the version of its latest message.
//
// A ROUTER is not told when a connection ends, so the memory is bounded: of the peers that speak an
// older version, at least the peers_max / 2 that were heard last are remembered.  Honest peers send
// a message at every heartbeat.  A peer that has been forgotten is answered in wire::kProtocol,
// which it drops, until it speaks again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "wire/message.h"

namespace runtime {

class PeerProtocols {
 public:
  explicit PeerProtocols(std::size_t peers_max = 16384) : half_(peers_max / 2) {}

  // Records the version, kProtocolMin..kProtocol, of a message of this peer.
  void heard(std::uint64_t peer, std::uint32_t protocol);
  void forget(std::uint64_t peer);
  // Returns the version in which to answer the peer.
  std::uint32_t of(std::uint64_t peer) const;
  // The number of remembered peers; one that is in both generations counts twice.
  std::size_t size() const { return newer_.size() + older_.size(); }

 private:
  using Versions = std::unordered_map<std::uint64_t, std::uint32_t>;

  std::size_t half_;
  Versions newer_;  // The peers heard since this generation began; at most half_.
  Versions older_;  // The generation before; it goes as a whole.
};

}  // namespace runtime
