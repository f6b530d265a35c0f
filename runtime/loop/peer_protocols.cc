#include "runtime/loop/peer_protocols.h"

#include <utility>

namespace runtime {

void PeerProtocols::heard(std::uint64_t peer, std::uint32_t protocol) {
  if (protocol == wire::kProtocol) return forget(peer);
  if (newer_.size() >= half_ && !newer_.contains(peer)) older_ = std::exchange(newer_, {});
  newer_[peer] = protocol;
}

void PeerProtocols::forget(std::uint64_t peer) {
  newer_.erase(peer);
  older_.erase(peer);
}

std::uint32_t PeerProtocols::of(std::uint64_t peer) const {
  for (const Versions* versions : {&newer_, &older_}) {
    if (const auto found = versions->find(peer); found != versions->end()) return found->second;
  }
  return wire::kProtocol;
}

}  // namespace runtime
