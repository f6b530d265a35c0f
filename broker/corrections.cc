#include "broker/corrections.h"

namespace broker {

bool Corrections::keep(Task task, Correctable answer, wire::Instant now) {
  expire(now);
  if (policy_.window == wire::Duration::zero() || policy_.max == 0) return false;
  forget(answer.producer, answer.request);
  const bool full = kept_.size() >= policy_.max;
  if (full) erase(expiries_.begin()->second);
  const wire::Instant until = now + policy_.window;
  tasks_[{answer.producer, answer.request}] = task;
  expiries_.emplace(until, task);
  kept_.emplace(task, Kept{answer, until});
  return full;
}

std::optional<Corrections::Correctable> Corrections::take(Task task, wire::ClassId label,
                                                          wire::Instant now) {
  expire(now);
  const auto found = kept_.find(task);
  if (found == kept_.end()) return std::nullopt;
  const Correctable answer = found->second.answer;
  erase(task);
  // The sink compared `label` with a collage's answer of its own choice, which may not be the one
  // that reached the producer: two collages may have answered, or the sink may have restarted.
  if (answer.label == label) return std::nullopt;
  return answer;
}

void Corrections::forget(wire::ProducerId producer, wire::RequestId request) {
  const auto found = tasks_.find({producer, request});
  if (found != tasks_.end()) erase(found->second);
}

void Corrections::expire(wire::Instant now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now) erase(expiries_.begin()->second);
}

void Corrections::erase(Task task) {
  const auto found = kept_.find(task);
  const Kept& kept = found->second;
  tasks_.erase({kept.answer.producer, kept.answer.request});
  expiries_.erase({kept.until, task});
  kept_.erase(found);
}

}  // namespace broker
