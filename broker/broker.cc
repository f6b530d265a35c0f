#include "broker/broker.h"

#include <algorithm>
#include <utility>

#include "machine/earliest.h"
#include "wire/check.h"

namespace broker {
namespace {

using machine::LogMessage;
using wire::Reason;
using wire::ResultStatus;
using wire::Source;

constexpr wire::Duration kUncoveredNoteEvery = std::chrono::seconds(10);

Roster::Policy roster_policy(const Policy& policy) {
  return {.worker_max = policy.worker_max,
          .silence_max = policy.silence_max(),
          .task_age_max = policy.task_age_max,
          .probe_every = policy.heartbeat};
}

}  // namespace

Broker::Broker(Policy policy, wire::Epoch epoch)
    : policy_(std::move(policy)),
      epoch_(epoch),
      slots_(static_cast<wire::Slot>(policy_.grid * policy_.grid)),
      labels_hash_(wire::labels_hash(policy_.labels)),
      batcher_(epoch, slots_, policy_.linger),
      dispatcher_({.roster = roster_policy(policy_),
                   .hedge_rate_max = policy_.hedge_rate_max,
                   .ties = policy_.redundancy.ties}),
      assemblers_(roster_policy(policy_)),
      sessions_({policy_.producer_max, policy_.producer_credit, policy_.silence_max()}),
      corrections_({policy_.correction_window, policy_.correction_max}) {
  COLLAGE_CHECK(policy_.grid >= wire::kGridSideMin && policy_.grid <= wire::kGridSideMax);
  COLLAGE_CHECK(policy_.linger < policy_.hedge_after && policy_.hedge_after < policy_.deadline);
}

// --- the contract ---

machine::Actions Broker::on_message(machine::Peer from, wire::Message message, wire::Instant now) {
  now_ = now;
  std::visit([&](auto& m) { handle(from, std::move(m)); }, message);
  return std::exchange(actions_, {});
}

machine::Actions Broker::on_timeout(wire::Instant now) {
  now_ = now;
  if (const auto last = batcher_.on_timeout(now)) seal(*last);
  while (const auto timer = ledger_.take_due(now)) {
    timer->due == Ledger::Due::deadline ? miss(timer->task) : hedge(timer->task);
  }
  if (now >= next_sweep_) sweep();
  if (drain_until_) {
    if (now >= *drain_until_) miss_all();
    actions_.finished = ledger_.open_requests() == 0;
  }
  return std::exchange(actions_, {});
}

machine::Actions Broker::on_done(wire::WorkId, machine::Outcome, wire::Instant) {
  COLLAGE_CHECK(!"the broker asks for no work");
  return {};
}

std::optional<wire::Instant> Broker::next_timeout() const {
  return machine::earliest(
      {next_sweep_, batcher_.next_timeout(), ledger_.next_timeout(), drain_until_});
}

// --- producers ---

void Broker::handle(machine::Peer from, wire::ProducerHello hello) {
  if (from.link != kProducers) return handle(from, wire::Undecodable{Reason::wrong_role});
  const bool moved = sessions_.moved(hello.producer, from);
  if (!sessions_.join(hello.producer, from, now_, hello.corrections)) {
    return actions_.send(from, wire::Refuse{Reason::too_many_peers});
  }
  // So that it sends again what is unanswered; what is open here is refused as a duplicate.
  if (moved) actions_.send(from, wire::Refuse{Reason::unknown_producer});
  welcome(from, policy_.producer_credit);
}

void Broker::welcome(machine::Peer peer, std::size_t credit) {
  actions_.send(
      peer, wire::Welcome{epoch_, policy_.heartbeat, static_cast<std::uint32_t>(credit),
                          policy_.image_bytes_max, policy_.deadline, policy_.correction_window});
}

void Broker::handle(machine::Peer from, wire::Submit submit) {
  if (from.link != kProducers) return handle(from, wire::Undecodable{Reason::wrong_role});
  const auto producer = sessions_.at(from, now_);
  if (!producer) return refuse(from, submit.request, Reason::unknown_producer);
  const Reason reason = admission(*producer, submit);
  if (reason != Reason::none) return refuse(from, submit.request, reason);
  admit(*producer, std::move(submit));
}

// What stages have of it is wasted; their answers find it settled.
void Broker::handle(machine::Peer from, wire::Cancel cancel) {
  if (from.link != kProducers) return handle(from, wire::Undecodable{Reason::wrong_role});
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
  return Reason::none;
}

void Broker::refuse(machine::Peer to, wire::RequestId request, Reason reason) {
  counters_.refused += 1;
  wire::Result result;
  result.request = request;
  result.status = ResultStatus::refused;
  result.reason = reason;
  result.retry_after = policy_.retry_after;
  actions_.send(to, std::move(result));
}

void Broker::admit(wire::ProducerId producer, wire::Submit submit) {
  counters_.admitted += 1;
  dispatcher_.on_admitted();
  const Batcher::Place place = batcher_.add(now_);
  Batch& batch = place.opened ? ledger_.open(place.batch, now_)
                              : *ledger_.find_batch(place.batch.sequence.value);
  if (place.opened) cover(batch);

  const bool own = submit.remaining > wire::Duration::zero();
  Entry entry;
  entry.producer = producer;
  entry.request = submit.request;
  entry.admitted = now_;
  entry.deadline = now_ + (own ? std::min(submit.remaining, policy_.deadline) : policy_.deadline);
  if (const auto delay = hedge_delay()) entry.hedge_at = now_ + *delay;
  entry.image = std::move(submit.image);
  const Task task = ledger_.add(batch, std::move(entry));
  sessions_.open(producer, submit.request, task);
  corrections_.forget(producer, submit.request);

  Entry& kept = *ledger_.find(task);
  actions_.traces.push_back({.what = "admitted",
                             .batch = batch.id,
                             .slot = task.slot,
                             .age = wire::Duration{},
                             .batch_age = now_ - batch.opened,
                             .producer = producer,
                             .request = submit.request});
  for (int copy = 0; copy < policy_.redundancy.copies; ++copy) {
    if (const auto order = dispatcher_.dispatch(task, kept, sequence_, now_)) send_order(*order);
  }
  if (const auto order = dispatcher_.probe(task, kept, sequence_, now_)) send_order(*order);
  dispatch_waiting();  // The line may hold nothing but second copies that no free worker may take.
  for (const Cover& cover : batch.covers) {
    if (const auto peer = assemblers_.peer_of(cover.assembler)) {
      actions_.send(
          *peer,
          wire::Assign{
              cover.sequence, batch.id, task.slot, false, {}, kept.deadline - now_, kept.image});
    }
  }
  if (place.sealed) seal(place);
}

std::optional<wire::Duration> Broker::hedge_delay() const {
  const auto learned = [this](wire::Duration value) {
    return value > wire::Duration::zero() ? value : policy_.hedge_after;
  };
  switch (policy_.redundancy.hedge) {
    case Redundancy::Hedge::never:
      return std::nullopt;
    case Redundancy::Hedge::p95:
      return learned(service_.p95);
    case Redundancy::Hedge::late_p95:
      return learned(service_.p95 * 11 / 10);
    case Redundancy::Hedge::budget:
      return learned(service_.budget);
  }
  return std::nullopt;
}

// --- batches ---

void Broker::cover(Batch& batch) {
  counters_.batches += 1;
  std::vector<wire::WorkerId> chosen;
  for (int copy = 0; copy < policy_.redundancy.covers; ++copy) {
    const Roster::Worker* assembler = assemblers_.pick(chosen);
    if (!assembler) break;
    chosen.push_back(assembler->id);
    cover(batch, *assembler);
  }
  if (policy_.redundancy.covers > 0) {
    const Roster::Worker* slow = assemblers_.due_for_probe(chosen, now_);
    if (slow) cover(batch, *slow);
  }
  if (policy_.redundancy.covers > 0 && batch.covers.empty()) {
    counters_.batches_uncovered += 1;
    note_uncovered();
  }
  tell_sink(wire::BatchOpened{batch.id, slots_, {}, !batch.covers.empty()});
}

// Not each of them: they come by the hundred, and would drown what else there is to say.
void Broker::note_uncovered() {
  if (uncovered_noted_ && now_ - *uncovered_noted_ < kUncoveredNoteEvery) return;
  uncovered_noted_ = now_;
  actions_.log(LogMessage::Level::warning, "no collage stage is free: batches go without cover, " +
                                               std::to_string(counters_.batches_uncovered) +
                                               " since the start");
}

void Broker::cover(Batch& batch, const Roster::Worker& assembler) {
  sequence_.value += 1;
  batch.covers.push_back({assembler.id, sequence_});
  assemblers_.assign(assembler.id, sequence_, {batch.id.sequence.value, kWholeBatch}, now_);
}

void Broker::seal(Batcher::Place last) {
  Batch& batch = *ledger_.find_batch(last.batch.sequence.value);
  ledger_.seal(batch);
  tell_sink(ages(batch));
  // All may be answered or cancelled by now: then no collage is to be made, and the Drop says so.
  if (batch.open > 0) {
    tell_covers(batch, wire::SealCollage{batch.id, static_cast<wire::Slot>(batch.slots.size())});
  }
  finish(last.batch.sequence.value);
}

wire::BatchSealed Broker::ages(const Batch& batch) const {
  wire::BatchSealed sealed{batch.id, {}};
  for (const wire::Instant admitted : batch.admitted) sealed.ages.push_back(now_ - admitted);
  return sealed;
}

void Broker::finish(std::uint64_t number) {
  const auto batch = ledger_.finish(number);
  if (!batch) return;
  tell_sink(wire::BatchSettled{batch->id});
  tell_covers(*batch, wire::DropCollage{batch->id});
}

void Broker::tell_covers(const Batch& batch, const wire::Message& message) {
  for (const Cover& cover : batch.covers) {
    if (const auto peer = assemblers_.peer_of(cover.assembler)) actions_.send(*peer, message);
  }
}

void Broker::settle(Task task, wire::Result result) {
  auto entry = ledger_.settle(task);
  COLLAGE_CHECK(entry.has_value());
  if (entry->waiting > 0) dispatcher_.forget(task);
  result.request = entry->request;
  actions_.traces.push_back({.what = to_string(result.status),
                             .batch = {epoch_, {task.batch}},
                             .slot = task.slot,
                             .age = now_ - entry->admitted,
                             .producer = entry->producer,
                             .request = entry->request,
                             .source = result.source});
  result.latency = now_ - entry->admitted;
  latencies_[static_cast<std::size_t>(result.source)].observe(result.latency);
  const auto peer = sessions_.close(entry->producer, entry->request);
  if (peer) {
    remember(task, *entry, result);
    actions_.send(*peer, std::move(result));
  } else {
    counters_.results_undelivered += 1;
  }
  finish(task.batch);
  if (drain_until_ && ledger_.open_requests() == 0) actions_.finished = true;
}

void Broker::remember(Task task, const Entry& entry, const wire::Result& result) {
  const bool collage = result.status == ResultStatus::answered && result.source == Source::collage;
  if (!collage || !sessions_.wants_corrections(entry.producer)) return;
  const wire::ClassId label = result.predictions.front().prediction.label;
  const bool full =
      corrections_.keep(task, {entry.producer, entry.request, label, entry.admitted}, now_);
  counters_.corrections_forgotten += full ? 1 : 0;
}

void Broker::miss(Task task) {
  if (!ledger_.find(task)) return;
  counters_.missing += 1;
  settle(task, {});
}

void Broker::miss_all() {
  while (ledger_.open_requests() > 0) {
    const std::uint64_t batch = ledger_.batches().begin()->first;
    for (wire::Slot slot = 0; slot < slots_; ++slot) miss({batch, slot});
  }
}

// --- answers ---

bool Broker::credible(const wire::Predictions& predictions) const {
  return !predictions.empty() && std::ranges::all_of(predictions, [this](const auto& p) {
    return p.label.value < policy_.labels.size();
  });
}

bool Broker::lawful(const wire::SlotSettled& settled) const {
  if (settled.slot >= slots_ || settled.source == Source::none) return false;
  return settled.verdict.reason != Reason::none || credible(settled.verdict.predictions);
}

std::vector<wire::NamedPrediction> Broker::named(const wire::Predictions& predictions) const {
  std::vector<wire::NamedPrediction> out;
  for (const wire::Prediction& p : predictions) out.push_back({policy_.labels[p.label.value], p});
  return out;
}

void Broker::handle(machine::Peer from, wire::SlotSettled settled) {
  if (!sink_ || sink_->peer != from) return handle_stranger(from);
  if (settled.batch.epoch != epoch_) {
    counters_.settled_stale += 1;
    return;
  }
  if (!lawful(settled)) {
    counters_.settled_bad += 1;
    return;
  }
  const Task task{settled.batch.sequence.value, settled.slot};
  if (!ledger_.find(task)) {
    counters_.settled_twice += 1;
    return;
  }
  wire::Result result;
  result.version = std::move(settled.version);
  if (settled.verdict.reason != Reason::none) {
    counters_.rejected += 1;
    result.status = ResultStatus::rejected;
    result.reason = settled.verdict.reason;
    return settle(task, std::move(result));
  }
  result.status = ResultStatus::answered;
  result.source = settled.source;
  result.predictions = named(settled.verdict.predictions);
  (settled.source == Source::collage ? counters_.answered_collage
   : settled.source == Source::hedge ? counters_.answered_hedge
                                     : counters_.answered_single) += 1;
  settle(task, std::move(result));
}

void Broker::handle(machine::Peer from, wire::Disagreement corrected) {
  if (!sink_ || sink_->peer != from) return handle_stranger(from);
  if (corrected.batch.epoch != epoch_) {
    counters_.settled_stale += 1;
    return;
  }
  const bool single = corrected.source == Source::single || corrected.source == Source::hedge;
  if (!single || !credible(corrected.predictions)) {
    counters_.settled_bad += 1;
    return;
  }
  const auto told = corrections_.take({corrected.batch.sequence.value, corrected.slot},
                                      corrected.predictions.front().label, now_);
  if (!told) {
    counters_.corrections_unwanted += 1;
    return;
  }
  const auto peer = sessions_.peer_of(told->producer);
  if (!peer) {
    counters_.corrections_undelivered += 1;
    return;
  }
  counters_.corrections += 1;
  actions_.send(*peer,
                wire::Correction{told->request, corrected.source, now_ - told->admitted,
                                 named(corrected.predictions), std::move(corrected.version)});
}

void Broker::handle(machine::Peer from, wire::ServiceTimes service) {
  if (!sink_ || sink_->peer != from) return handle_stranger(from);
  service_ = service;
}

// --- the rest ---

// Says what only the sink may.  On the workers' link it may be a sink that we have not met in
// this life: it is asked to say hello at once, for without it nobody is answered.
void Broker::handle_stranger(machine::Peer from) {
  handle(from,
         wire::Undecodable{from.link == kWorkers ? Reason::unknown_worker : Reason::wrong_role});
}

void Broker::handle(machine::Peer from, wire::StatusRequest) { actions_.send(from, status()); }

void Broker::handle(machine::Peer from, wire::Undelivered) {
  if (from.link == kProducers) {
    counters_.results_undelivered += 1;
    sessions_.lost(from);
  } else if (sink_ && sink_->peer == from) {
    lose_sink();
  } else {
    lose(dispatcher_.roster().lost(from));
    uncover(assemblers_.lost(from));
  }
}

void Broker::handle(machine::Peer from, wire::Undecodable undecodable) {
  counters_.bad_messages += 1;
  actions_.send(from, wire::Refuse{undecodable.reason});
}

void Broker::handle(machine::Peer, wire::Drain) {
  if (drain_until_) return;
  drain_until_ = now_ + policy_.drain_max;
  if (const auto last = batcher_.flush()) seal(*last);
  actions_.finished = ledger_.open_requests() == 0;
}

// Never answered: two peers of different versions would refuse each other for ever.
void Broker::handle(machine::Peer, wire::Refuse) { counters_.bad_messages += 1; }

template <class Other>
void Broker::handle(machine::Peer from, Other) {
  handle(from, wire::Undecodable{Reason::wrong_role});
}

}  // namespace broker
