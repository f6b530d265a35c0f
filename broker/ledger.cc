#include "broker/ledger.h"

#include <utility>

#include "wire/check.h"

namespace broker {

Batch& Ledger::open(wire::BatchId id, wire::Instant now) {
  const auto [place, added] = batches_.try_emplace(id.sequence.value);
  COLLAGE_CHECK(added);
  place->second.id = id;
  place->second.opened = now;
  return place->second;
}

Entry& Ledger::add(Batch& batch, Entry entry) {
  COLLAGE_CHECK(!batch.sealed && batch.slots.size() < wire::kSlotsMax);
  const Task task{batch.id.sequence.value, static_cast<wire::Slot>(batch.slots.size())};
  entry.task = task;
  timers_.emplace(entry.deadline, Due::deadline, task);
  if (entry.hedge_at) timers_.emplace(*entry.hedge_at, Due::hedge, task);
  open_requests_ += 1;
  open_bytes_ += entry.image.size();
  batch.open += 1;
  batch.admitted.push_back(entry.admitted);
  return *batch.slots.emplace_back(std::move(entry));
}

Batch* Ledger::find_batch(std::uint64_t batch) {
  const auto found = batches_.find(batch);
  return found == batches_.end() ? nullptr : &found->second;
}

Entry* Ledger::find(Task task) {
  Batch* batch = find_batch(task.batch);
  if (!batch || task.slot >= batch->slots.size() || !batch->slots[task.slot]) return nullptr;
  return &*batch->slots[task.slot];
}

std::optional<Entry> Ledger::settle(Task task) {
  Entry* entry = find(task);
  if (!entry) return std::nullopt;
  timers_.erase({entry->deadline, Due::deadline, task});
  if (entry->hedge_at) timers_.erase({*entry->hedge_at, Due::hedge, task});
  open_requests_ -= 1;
  open_bytes_ -= entry->image.size();
  Batch& batch = batches_.at(task.batch);
  batch.open -= 1;
  return std::exchange(batch.slots[task.slot], std::nullopt);
}

std::optional<Batch> Ledger::finish(std::uint64_t batch) {
  const auto found = batches_.find(batch);
  if (found == batches_.end() || !found->second.sealed || found->second.open > 0) {
    return std::nullopt;
  }
  Batch done = std::move(found->second);
  batches_.erase(found);
  return done;
}

std::optional<Ledger::Timer> Ledger::take_due(wire::Instant now) {
  if (timers_.empty() || std::get<0>(*timers_.begin()) > now) return std::nullopt;
  const auto [at, due, task] = *timers_.begin();
  timers_.erase(timers_.begin());
  return Timer{due, task};
}

std::optional<wire::Instant> Ledger::next_timeout() const {
  if (timers_.empty()) return std::nullopt;
  return std::get<0>(*timers_.begin());
}

}  // namespace broker
