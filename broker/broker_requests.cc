// Broker's dealings with producers: admission, the life of a request, and its result.
#include <algorithm>
#include <utility>

#include "broker/broker.h"
#include "wire/check.h"

namespace broker {

using wire::Reason;
using wire::ResultStatus;
using wire::Source;

// --- admission ---

void Broker::on_hello(machine::Peer from, const wire::ProducerHello& hello) {
  const bool moved = sessions_.moved(hello.producer, from);
  const std::uint32_t weight = weight_of(policy_.weights, key_name_of(from), hello.producer);
  if (!sessions_.join(hello.producer, from, now_,
                      {.corrections = hello.corrections, .weight = weight})) {
    counters_.producers_refused += 1;
    return actions_.send(from, wire::Refuse{Reason::too_many_peers});
  }
  // Makes the producer submit again what is unanswered; what is open here is refused as a
  // duplicate.  What it sent over its former connection may not have arrived.
  if (moved) actions_.send(from, wire::Refuse{Reason::unknown_producer});
  welcome(from, policy_.producer_credit);
}

// Empty if the peer has no key.
std::string Broker::key_name_of(machine::Peer from) {
  const auto known = std::exchange(authenticated_, std::nullopt);
  return known && known->first == from ? known->second : std::string();
}

void Broker::on_submit(machine::Peer from, wire::Submit submit) {
  const auto producer = sessions_.at(from, now_);
  if (!producer) return refuse(from, submit.request, Reason::unknown_producer);
  overload_.on_arrival(now_);
  update_overload();
  const Reason reason = admission(*producer, submit);
  if (reason != Reason::none) return refuse(from, submit.request, reason);
  admit(*producer, std::move(submit));
}

// What a stage has begun runs out; its answer will find the slot settled.
void Broker::on_cancel(machine::Peer from, const wire::Cancel& cancel) {
  const auto producer = sessions_.at(from, now_);
  const auto task = producer ? sessions_.find(*producer, cancel.request) : std::nullopt;
  if (!task) {
    counters_.cancels_unknown += 1;
    return;
  }
  counters_.cancelled += 1;
  wire::Result result;
  result.status = ResultStatus::cancelled;
  settle(*task, std::move(result));
}

Reason Broker::admission(wire::ProducerId producer, const wire::Submit& submit) const {
  if (drain_until_) return Reason::draining;
  if (submit.image.size() > policy_.image_bytes_max) return Reason::image_too_large;
  if (const Reason own = sessions_.admit(producer, submit.request); own != Reason::none) return own;
  if (ledger_.open_requests() >= policy_.open_request_max) return Reason::full;
  if (ledger_.open_bytes() + submit.image.size() > policy_.open_bytes_max) return Reason::full;
  return admission_by_time(producer, submit);
}

void Broker::refuse(machine::Peer to, wire::RequestId request, Reason reason) {
  counters_.refused += 1;
  wire::Result result;
  result.request = request;
  result.status = ResultStatus::refused;
  result.reason = reason;
  result.retry_after = retry_hint();
  actions_.send(to, std::move(result));
}

void Broker::admit(wire::ProducerId producer, wire::Submit submit) {
  counters_.admitted += 1;
  dispatcher_.on_admitted();
  if (submit.latest != 0) supersede(producer, submit);
  if (overload_.on()) return admit_waiting(make_entry(producer, std::move(submit)));
  const Batcher::Place place = batcher_.add(now_);
  Batch& batch =
      place.opened ? open_batch(place.batch) : *ledger_.find_batch(place.batch.sequence.value);
  Entry& entry = ledger_.add(batch, make_entry(producer, std::move(submit)));
  sessions_.open(producer, entry.request, entry.task, entry.latest);
  // A request id that is used again names another image, whose collage answer has yet to come.
  corrections_.forget(producer, entry.request);
  actions_.traces.push_back({.what = "admitted",
                             .batch = batch.id,
                             .slot = entry.task.slot,
                             .age = wire::Duration{},
                             .batch_age = now_ - batch.opened,
                             .producer = producer,
                             .request = entry.request});
  start(entry);
  // After the singles: they are sent first, for an assembler must wait for the batch in any case.
  covers_.send_image(batch, entry, now_, actions_);
  if (place.sealed) seal(place);
}

Batch& Broker::open_batch(wire::BatchId id) {
  counters_.batches += 1;
  Batch& batch = ledger_.open(id, now_);
  if (!covers_.assign_collage(batch, now_)) {
    counters_.batches_uncovered += 1;
    log_uncovered();
  }
  // After the covers are chosen, for the message says whether there is one.
  sinks_.open(batch, now_, actions_);
  return batch;
}

// The time that a request may take.
wire::Duration Broker::time_limit(const wire::Submit& submit) const {
  const bool own = submit.remaining > wire::Duration::zero();
  return own ? std::min(submit.remaining, policy_.deadline) : policy_.deadline;
}

Entry Broker::make_entry(wire::ProducerId producer, wire::Submit submit) const {
  Entry entry;
  entry.producer = producer;
  entry.request = submit.request;
  entry.admitted = now_;
  entry.deadline = now_ + time_limit(submit);
  entry.priority = submit.priority;
  entry.latest = submit.latest;
  entry.hedge_from = now_ + first_look();
  entry.look_at = entry.hedge_from;
  entry.image = std::move(submit.image);
  return entry;
}

// The time until the broker looks at an open image for the first time, and hedges it if the policy
// does.
wire::Duration Broker::first_look() const {
  const auto learned = [this](wire::Duration value) {
    return value > wire::Duration::zero() ? value : policy_.hedge_after;
  };
  switch (policy_.redundancy.hedge) {
    case Redundancy::Hedge::never:
      break;
    case Redundancy::Hedge::p95:
      return learned(service_.p95);
    case Redundancy::Hedge::late_p95:
      return learned(service_.p95 * 11 / 10);
    case Redundancy::Hedge::budget:
      return learned(service_.budget);
  }
  return look_every();
}

void Broker::start(Entry& entry) {
  for (int copy = 0; copy < policy_.redundancy.singles_per_image; ++copy) {
    if (const auto order = dispatcher_.dispatch(entry, now_)) send_order(*order);
  }
  // A probe comes after the copies: a worker on probation must not be the only one with the image.
  if (const auto order = dispatcher_.probe(entry, now_)) send_order(*order);
  // The line may have held nothing but second copies, which no free worker could take; this image
  // then waits behind them though a worker is free for it.
  dispatch_waiting();
}

// The older frames of the stream that still wait will not be looked at any more.  A copy that is
// sent again may come after a newer frame, and supersedes nothing of it.
void Broker::supersede(wire::ProducerId producer, const wire::Submit& newer) {
  for (const Task task : sessions_.older_frames(producer, newer.latest, newer.request)) {
    const Entry* older = ledger_.find(task);
    COLLAGE_CHECK(older != nullptr);
    if (!waits(*older)) continue;
    counters_.superseded += 1;
    wire::Result result;
    result.status = ResultStatus::superseded;
    settle(task, std::move(result));
  }
}

// Whether no stage is at work on the image: no s-CNN has it, nor is its collage under way.
bool Broker::waits(const Entry& entry) {
  if (!entry.tried.empty()) return false;
  if (entry.task.slot == kWaiting) return true;
  const Batch& batch = *ledger_.find_batch(entry.task.batch);
  return !batch.sealed || batch.covers.empty();
}

// --- the end of a batch and of a request ---

// A collage need not begin before it could only just be there when patience ends.  Until then the
// batch takes further images, and what is answered meanwhile needs no collage.
void Broker::linger(wire::BatchId open) {
  const ServiceTime& collage = covers_.roster().service();
  if (service_.patience <= wire::Duration::zero() || !collage.known()) return;
  const Batch& batch = *ledger_.find_batch(open.sequence.value);
  for (const std::optional<Entry>& entry : batch.slots) {
    if (!entry) continue;
    return batcher_.linger_until(entry->admitted + service_.patience - collage.high());
  }
}

void Broker::seal(Batcher::Place last) {
  Batch& batch = *ledger_.find_batch(last.batch.sequence.value);
  ledger_.seal(batch);
  count_fill(batch);
  sinks_.send_sealed(batch, now_, actions_);
  // All slots may be answered or cancelled by now.  Then no collage is needed, and the DropCollage
  // that finish() sends says so.
  if (batch.open > 0) {
    covers_.seal(batch, now_, actions_);
  }
  finish(last.batch.sequence.value);
}

void Broker::finish(std::uint64_t number) {
  const auto batch = ledger_.finish(number);
  if (!batch) return;
  sinks_.settle(*batch, actions_);
  covers_.drop(*batch, actions_);
}

void Broker::settle(Task task, wire::Result result) {
  auto entry = ledger_.settle(task);
  COLLAGE_CHECK(entry.has_value());
  task = entry->task;
  forget(*entry);
  result.request = entry->request;
  result.latency = now_ - entry->admitted;
  const bool placed = task.slot != kWaiting;
  actions_.traces.push_back(
      {.what = to_string(result.status),
       .batch = placed ? wire::BatchId{epoch_, {task.batch}} : wire::BatchId{},
       .slot = placed ? std::optional(task.slot) : std::nullopt,
       .age = result.latency,
       .producer = entry->producer,
       .request = entry->request,
       .source = result.source});
  latencies_[static_cast<std::size_t>(result.source)].observe(result.latency);
  versions_.observe(result.version, result.source, result.latency);
  const auto peer = sessions_.close(entry->producer, entry->request);
  if (peer) {
    remember(*entry, result);
    actions_.send(*peer, std::move(result));
  } else {
    counters_.results_undelivered += 1;
  }
  if (task.slot != kWaiting) finish(task.batch);
  if (entry->moved_from) finish(entry->moved_from->batch);
  if (drain_until_ && ledger_.open_requests() == 0) actions_.finished = true;
}

// Takes a settled image out of every queue that it may be in.
void Broker::forget(const Entry& entry) {
  if (entry.task.slot == kWaiting) line_.erase(entry.task, entry.producer, entry.priority);
  std::erase(late_, entry.task);
  withdraw(entry);
  if (entry.waiting == 0) return;
  dispatcher_.forget(entry.task);
  if (entry.moved_from) dispatcher_.forget(*entry.moved_from);
}

// Takes a settled image back from the s-CNNs that have not begun with it.
void Broker::withdraw(const Entry& entry) {
  for (const wire::WorkerId worker : entry.tried) {
    // An image that has moved may have been given to them before or after.
    auto queued = dispatcher_.roster().queued(worker, entry.task);
    if (!queued && entry.moved_from) {
      queued = dispatcher_.roster().queued(worker, *entry.moved_from);
    }
    if (!queued) continue;
    counters_.withdrawn += 1;
    dispatcher_.roster().withdraw(worker, queued->sequence);
    actions_.send(queued->peer, wire::Withdraw{queued->sequence});
  }
}

void Broker::remember(const Entry& entry, const wire::Result& result) {
  const bool collage = result.status == ResultStatus::answered && result.source == Source::collage;
  if (!collage || !sessions_.terms(entry.producer).corrections) return;
  const wire::ClassId label = result.predictions.front().prediction.label;
  const bool full =
      corrections_.keep(entry.task, {entry.producer, entry.request, label, entry.admitted}, now_);
  counters_.corrections_forgotten += full ? 1 : 0;
}

void Broker::miss(Task task) {
  if (!ledger_.find(task)) return;
  counters_.missing += 1;
  settle(task, {.request = {}, .reason = missing_reason(task), .predictions = {}, .version = {}});
}

// What an operator has to look at first: without a sink no answer counts, without a stage there is
// none, and an image that no stage has got had to wait for others.
wire::Reason Broker::missing_reason(Task task) {
  if (drain_until_) return wire::Reason::draining;
  if (sinks_.size() == 0) return wire::Reason::no_sink;
  if (dispatcher_.roster().size() + covers_.roster().size() == 0) return wire::Reason::no_stage;
  const Entry& entry = *ledger_.find(task);
  const Batch* batch = ledger_.find_batch(entry.task.batch);
  const bool covered = entry.task.slot != kWaiting && batch != nullptr && !batch->covers.empty();
  return entry.given || covered ? wire::Reason::no_answer : wire::Reason::overloaded;
}

void Broker::miss_all() {
  while (!ledger_.waiting().empty()) miss(ledger_.waiting().begin()->second.task);
  while (ledger_.open_requests() > 0) {
    const std::uint64_t batch = ledger_.batches().begin()->first;
    for (wire::Slot slot = 0; slot < slots_; ++slot) miss({batch, slot});
  }
}

}  // namespace broker
