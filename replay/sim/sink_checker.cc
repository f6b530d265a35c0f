#include "replay/sim/sink_checker.h"

#include <algorithm>
#include <chrono>

namespace replay::sim {

void SinkChecker::on_arrived(NodeId from, const wire::Message& message, wire::Instant now) {
  if (const auto* hello = std::get_if<wire::WorkerHello>(&message)) {
    on_hello(from, *hello);
  } else if (const auto* submit = std::get_if<wire::Submit>(&message)) {
    wire::Duration limit = options_.fleet.broker.deadline;
    if (submit->remaining > wire::Duration::zero()) limit = std::min(limit, submit->remaining);
    asked_.try_emplace({from, submit->request}, Asked{token_of(submit->image), now + limit});
  }
}

void SinkChecker::on_hello(NodeId from, const wire::WorkerHello& hello) {
  if (hello.role == wire::Role::sink) indices_[from] = hello.sink;
}

void SinkChecker::on_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now) {
  if (const auto* opened = std::get_if<wire::BatchOpened>(&message)) {
    opened_[opened->batch] = indices_[to];
  } else if (const auto* assign = std::get_if<wire::Assign>(&message)) {
    on_assign(*assign, now);
  } else if (const auto* answer = std::get_if<wire::Answer>(&message)) {
    on_answer(*answer, now);
  } else if (const auto* result = std::get_if<wire::Result>(&message)) {
    on_result(to, *result, now);
  } else if (const auto* settled = std::get_if<wire::SlotSettled>(&message)) {
    joined_[{from, settled->batch}].settled.insert(settled->slot);
  }
}

void SinkChecker::on_assign(const wire::Assign& assign, wire::Instant now) {
  slots_[{assign.batch, assign.slot}] = token_of(assign.image);
  // A batch that no sink was there for has been opened nowhere.
  const auto opened = opened_.find(assign.batch);
  if (opened == opened_.end() || opened->second == assign.sink) return;
  violations_.add("a task names another sink than that of its batch", now);
}

void SinkChecker::on_answer(const wire::Answer& answer, wire::Instant now) {
  const auto slot = slots_.find({answer.batch, answer.slot});
  if (slot != slots_.end()) answered_.try_emplace(slot->second, now);
}

void SinkChecker::on_result(NodeId producer, const wire::Result& result, wire::Instant now) {
  const auto asked = asked_.find({producer, result.request});
  if (asked == asked_.end()) return;
  if (result.reason == wire::Reason::duplicate_request) return;
  const Asked request = asked->second;
  asked_.erase(asked);
  // A copy that is sent again and comes after this result is another request.
  const auto answered = answered_.extract(request.token);
  if (!options_.faults.one_sink || result.status != wire::ResultStatus::missing) return;
  if (answered.empty() || request.deadline - answered.mapped() < notice_max()) return;
  violations_.add("an answer is lost with its sink", now);
}

// The broker looks for silent sinks once a heartbeat, and messages take their time.
wire::Duration SinkChecker::notice_max() const {
  const broker::Policy& broker = options_.fleet.broker;
  const Faults& faults = options_.faults;
  wire::Duration most = broker.silence_max() + 2 * broker.heartbeat + std::chrono::milliseconds(50);
  if (options_.fleet.sinks == 1) {
    // Outages may follow one another, and a sink that comes back joins again.
    most += faults.sink_crashes * faults.down_max + faults.stalls * faults.stall_max +
            options_.fleet.sink.membership.backoff_max;
  }
  return most;
}

// --- patience ---

void SinkChecker::on_arrived_at_sink(NodeId sink, const wire::Message& message, wire::Instant now) {
  if (!options_.faultless()) return;
  if (const auto* opened = std::get_if<wire::BatchOpened>(&message)) {
    on_opened(sink, *opened, now);
  } else if (const auto* sealed = std::get_if<wire::BatchSealed>(&message)) {
    on_sealed(sink, *sealed, now);
  } else if (const auto* collage = std::get_if<wire::CollageAnswer>(&message)) {
    on_collage(sink, *collage, now);
  } else if (const auto* settled = std::get_if<wire::BatchSettled>(&message)) {
    on_batch_settled(sink, settled->batch);
  }
}

void SinkChecker::on_opened(NodeId sink, const wire::BatchOpened& opened, wire::Instant now) {
  Joined& batch = joined_[{sink, opened.batch}];
  if (batch.opened) return;
  const std::size_t others = open_[sink]++;
  batch.opened = true;
  batch.certain = !batch.usable && others < options_.fleet.sink.joiner.open_batch_max;
  batch.expiry = now - opened.age + options_.fleet.broker.deadline;
  batch.slots = opened.slots;
}

void SinkChecker::on_sealed(NodeId sink, const wire::BatchSealed& sealed, wire::Instant now) {
  Joined& batch = joined_[{sink, sealed.batch}];
  if (!batch.opened || batch.admitted) return;
  batch.collage_only = sealed.collage_only;
  batch.admitted.emplace();
  for (const wire::Duration age : sealed.ages) batch.admitted->push_back(now - age);
  note_due({sink, sealed.batch}, now);
}

void SinkChecker::on_collage(NodeId sink, const wire::CollageAnswer& answer, wire::Instant now) {
  Joined& batch = joined_[{sink, answer.batch}];
  if (batch.usable) return;
  batch.usable.emplace();
  for (const wire::Predictions& cell : answer.cells) {
    batch.usable->push_back(!cell.empty() &&
                            cell.front().probability >= options_.fleet.sink.joiner.gate);
  }
  note_due({sink, answer.batch}, now);
}

void SinkChecker::on_batch_settled(NodeId sink, wire::BatchId id) {
  Joined& batch = joined_[{sink, id}];
  if (batch.over) return;
  batch.over = true;
  if (batch.opened) open_[sink] -= 1;
}

void SinkChecker::note_due(const JoinedKey& key, wire::Instant now) {
  const Joined& batch = joined_[key];
  if (!batch.certain || batch.over || !batch.admitted || !batch.usable) return;
  if (batch.usable->size() != batch.slots) return;
  for (wire::Slot slot = 0; slot < batch.admitted->size(); ++slot) {
    if (!(*batch.usable)[slot]) continue;
    const wire::Instant patient = (*batch.admitted)[slot] + patience_max();
    const wire::Instant due = batch.collage_only ? now : std::max(now, patient);
    if (due < batch.expiry) due_.emplace(due, key, slot);
  }
}

// The longest patience that a sink may have; a learned one changes while it runs.
wire::Duration SinkChecker::patience_max() const {
  const auto& sink = options_.fleet.sink;
  if (sink.collage_first) return wire::Duration::zero();
  if (options_.fixed_patience) return sink.patience.initial;
  return std::max(sink.patience.initial, sink.patience.max);
}

void SinkChecker::on_time(wire::Instant now) {
  while (!due_.empty() && std::get<0>(*due_.begin()) < now) {
    const auto [due, key, slot] = *due_.begin();
    due_.erase(due_.begin());
    const Joined& batch = joined_[key];
    if (batch.over || batch.settled.contains(slot)) continue;
    violations_.add("a slot is open though its collage has come and patience is over", now);
  }
}

}  // namespace replay::sim
