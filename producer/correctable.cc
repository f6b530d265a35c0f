#include "producer/correctable.h"

#include "wire/check.h"

namespace producer {

void Correctable::add(wire::RequestId id, wire::ClassId label, wire::Instant submitted,
                      wire::Instant until) {
  if (max_ == 0) return;  // The code below needs an answer that can make room.
  if (answers_.size() >= max_) erase(expiries_.begin()->second);
  const bool added = answers_.emplace(id, Answer{label, submitted, until}).second;
  COLLAGE_CHECK(added);
  expiries_.emplace(until, id);
}

std::optional<wire::Instant> Correctable::take(wire::RequestId id, wire::ClassId label) {
  const auto found = answers_.find(id);
  if (found == answers_.end()) return std::nullopt;
  const Answer answer = found->second;
  erase(id);
  if (answer.label == label) return std::nullopt;
  return answer.submitted;
}

void Correctable::expire(wire::Instant now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now) erase(expiries_.begin()->second);
}

std::optional<wire::Instant> Correctable::next_timeout() const {
  if (expiries_.empty()) return std::nullopt;
  return expiries_.begin()->first;
}

void Correctable::erase(wire::RequestId id) {
  const auto found = answers_.find(id);
  expiries_.erase({found->second.until, id});
  answers_.erase(found);
}

}  // namespace producer
