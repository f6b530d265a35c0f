#include "broker/corrections.h"

namespace broker {

bool Corrections::keep(Task task, Told told, wire::Instant now) {
  expire(now);
  if (policy_.window == wire::Duration::zero() || policy_.max == 0) return false;
  forget(told.producer, told.request);
  const bool full = told_.size() >= policy_.max;
  if (full) erase(expiries_.begin()->second);
  const wire::Instant until = now + policy_.window;
  tasks_[{told.producer, told.request}] = task;
  expiries_.emplace(until, task);
  told_.emplace(task, Kept{told, until});
  return full;
}

std::optional<Corrections::Told> Corrections::take(Task task, wire::ClassId label,
                                                   wire::Instant now) {
  expire(now);
  const auto found = told_.find(task);
  if (found == told_.end()) return std::nullopt;
  const Told told = found->second.told;
  erase(task);
  // The sink may have taken another collage's word for it than the one that was told.
  if (told.label == label) return std::nullopt;
  return told;
}

void Corrections::forget(wire::ProducerId producer, wire::RequestId request) {
  const auto found = tasks_.find({producer, request});
  if (found != tasks_.end()) erase(found->second);
}

void Corrections::expire(wire::Instant now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now) erase(expiries_.begin()->second);
}

void Corrections::erase(Task task) {
  const auto found = told_.find(task);
  const Kept& kept = found->second;
  tasks_.erase({kept.told.producer, kept.told.request});
  expiries_.erase({kept.until, task});
  told_.erase(found);
}

}  // namespace broker
