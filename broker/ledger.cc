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
  start_timers(entry);
  open_requests_ += 1;
  open_bytes_ += entry.image.size();
  batch.open += 1;
  batch.admitted.push_back(entry.admitted);
  return *batch.slots.emplace_back(std::move(entry));
}

Entry& Ledger::add_waiting(Entry entry) {
  entry.task = {++last_waiting_, kWaiting};
  entry.look_at.reset();
  start_timers(entry);
  open_requests_ += 1;
  open_bytes_ += entry.image.size();
  return waiting_.emplace(last_waiting_, std::move(entry)).first->second;
}

Entry& Ledger::place(Task task, Batch& batch, wire::Instant look_at) {
  Entry* present = find(task);
  COLLAGE_CHECK(present && !present->moved_from);
  stop_timers(*present);
  Entry entry = std::move(*present);
  open_requests_ -= 1;
  open_bytes_ -= entry.image.size();
  if (task.slot == kWaiting) {
    waiting_.erase(task.batch);
  } else {
    // The former batch counts the slot as open until the image is settled.
    batches_.at(task.batch).slots[task.slot].reset();
    entry.moved_from = task;
  }
  entry.look_at = look_at;
  entry.hedge_from = look_at;
  Entry& placed = add(batch, std::move(entry));
  if (placed.moved_from) moved_.emplace(*placed.moved_from, placed.task);
  return placed;
}

void Ledger::start_timers(const Entry& entry) {
  timers_.emplace(entry.deadline, Due::deadline, entry.task);
  if (entry.look_at) timers_.emplace(*entry.look_at, Due::look, entry.task);
}

void Ledger::look_again(Entry& entry, wire::Instant at) {
  stop_timers(entry);
  entry.look_at = at;
  start_timers(entry);
}

void Ledger::stop_timers(const Entry& entry) {
  timers_.erase({entry.deadline, Due::deadline, entry.task});
  if (entry.look_at) timers_.erase({*entry.look_at, Due::look, entry.task});
}

Batch* Ledger::find_batch(std::uint64_t batch) {
  const auto found = batches_.find(batch);
  return found == batches_.end() ? nullptr : &found->second;
}

Entry* Ledger::find(Task task) {
  if (task.slot == kWaiting) {
    const auto found = waiting_.find(task.batch);
    return found == waiting_.end() ? nullptr : &found->second;
  }
  if (const auto moved = moved_.find(task); moved != moved_.end()) task = moved->second;
  Batch* batch = find_batch(task.batch);
  if (!batch || task.slot >= batch->slots.size() || !batch->slots[task.slot]) return nullptr;
  return &*batch->slots[task.slot];
}

std::optional<Entry> Ledger::settle(Task task) {
  Entry* entry = find(task);
  if (!entry) return std::nullopt;
  stop_timers(*entry);
  open_requests_ -= 1;
  open_bytes_ -= entry->image.size();
  Entry settled = std::move(*entry);
  if (settled.task.slot == kWaiting) {
    waiting_.erase(settled.task.batch);
    return settled;
  }
  Batch& batch = batches_.at(settled.task.batch);
  batch.open -= 1;
  batch.slots[settled.task.slot].reset();
  if (settled.moved_from) {
    moved_.erase(*settled.moved_from);
    batches_.at(settled.moved_from->batch).open -= 1;
  }
  return settled;
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
