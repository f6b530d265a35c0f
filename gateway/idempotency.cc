#include "gateway/idempotency.h"

#include <utility>

namespace gateway {

Idempotency::Begun Idempotency::begin(const std::string& key, std::uint64_t fingerprint,
                                      wire::Instant now) {
  expire(now);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    entries_[key] = {.fingerprint = fingerprint, .response = {}, .expires = {}, .bytes = 0};
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
  const std::size_t bytes = bytes_of(key, response);
  if (bytes > bytes_max_) return abandon(key);  // It would push out all others, and then itself.
  finished_.push_back(key);
  found->second.response = std::move(response);
  found->second.expires = now + window_;
  found->second.bytes = bytes;
  bytes_ += bytes;
  expire(now);
}

void Idempotency::abandon(const std::string& key) { entries_.erase(key); }

std::size_t Idempotency::bytes_of(const std::string& key, const Response& response) {
  // The key stands in both containers.
  std::size_t bytes = sizeof(Entry) + 2 * key.size() + response.type.size() + response.body.size();
  for (const auto& [name, value] : response.headers) bytes += name.size() + value.size();
  return bytes;
}

// The number of requests that are being worked on is bounded by the number of connections.
void Idempotency::expire(wire::Instant now) {
  while (!finished_.empty()) {
    const auto oldest = entries_.find(finished_.front());
    const bool fit = finished_.size() <= entries_max_ && bytes_ <= bytes_max_;
    if (fit && now < oldest->second.expires) return;
    bytes_ -= oldest->second.bytes;
    entries_.erase(oldest);
    finished_.pop_front();
  }
}

}  // namespace gateway
