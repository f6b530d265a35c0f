#include "gateway/idempotency.h"

#include <utility>

namespace gateway {

Idempotency::Begun Idempotency::begin(const std::string& key, std::uint64_t fingerprint,
                                      wire::Instant now) {
  expire(now);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    entries_[key] = {.fingerprint = fingerprint, .response = {}, .expires = {}};
    return {Begun::What::fresh};
  }
  const Entry& entry = found->second;
  if (entry.fingerprint != fingerprint) return {Begun::What::mismatch};
  if (!entry.response) return {Begun::What::running};
  return {Begun::What::replay, *entry.response};
}

void Idempotency::finish(const std::string& key, Response response, wire::Instant now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  found->second.response = std::move(response);
  found->second.expires = now + window_;
  finished_.push_back(key);
  expire(now);
}

void Idempotency::abandon(const std::string& key) { entries_.erase(key); }

// The number of requests that are being worked on is bounded by the number of connections.
void Idempotency::expire(wire::Instant now) {
  while (!finished_.empty()) {
    const auto oldest = entries_.find(finished_.front());
    if (finished_.size() <= entries_max_ && now < oldest->second.expires) return;
    entries_.erase(oldest);
    finished_.pop_front();
  }
}

}  // namespace gateway
