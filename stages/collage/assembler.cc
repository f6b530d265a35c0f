#include "stages/collage/assembler.h"

#include <algorithm>
#include <string>
#include <utility>

#include "machine/earliest.h"
#include "machine/figures.h"
#include "machine/heartbeat.h"
#include "wire/check.h"

namespace stages::collage {
namespace {

using C = Assembler::Counters;
using machine::counter;
using machine::dropped;

machine::Peer to_sink(wire::SinkIndex sink) { return {Assembler::kSink + sink, 0}; }
constexpr const char* kGivenUp = "collage_batches_given_up_total";
constexpr const char* kGivenUpHelp = "Batches that no collage was made of.";

constexpr machine::Figure<C> kFigures[] = {
    counter<C>([](const C& c) { return c.collages; }, "", "collage_collages_total",
               "Collages handed to the collage-CNN."),
    counter<C>([](const C& c) { return c.dropped; }, "", kGivenUp, kGivenUpHelp, "reason",
               "not_wanted"),
    counter<C>([](const C& c) { return c.lost; }, "", kGivenUp, kGivenUpHelp, "reason", "lost"),
    counter<C>([](const C& c) { return c.expired; }, "", kGivenUp, kGivenUpHelp, "reason",
               "expired"),
    dropped<C>([](const C& c) { return c.rejected; }, "", "rejected"),
    dropped<C>([](const C& c) { return c.failed; }, "", "failed"),
    dropped<C>([](const C& c) { return c.late; }, "", "late"),
    dropped<C>([](const C& c) { return c.repeated; }, "", "repeated"),
    dropped<C>([](const C& c) { return c.over_credit; }, "", "over_credit"),
    dropped<C>([](const C& c) { return c.refused; }, "", "refused"),
    dropped<C>([](const C& c) { return c.undelivered; }, "", "undelivered"),
    dropped<C>([](const C& c) { return c.bad_messages; }, "", "bad_message"),
};

}  // namespace

Assembler::Assembler(wire::WorkerHello hello, wire::Epoch own, Policy policy)
    : slots_(static_cast<std::size_t>(hello.model.grid) * hello.model.grid),
      own_(own),
      policy_(policy),
      membership_(std::move(hello), policy.membership),
      showing_(policy.shown) {
  COLLAGE_CHECK(slots_ >= 1 && slots_ <= wire::kSlotsMax);
}

machine::Actions Assembler::on_message(machine::Peer from, wire::Message message,
                                       wire::Instant now) {
  if (std::holds_alternative<wire::Undelivered>(message)) counters_.undelivered += 1;
  if (std::holds_alternative<wire::Drain>(message)) {
    draining_ = true;
    membership_.on_message(message, now, actions_);
  } else if (from.link == kBroker) {
    on_broker(std::move(message), now);
  } else if (from.link == kCollage) {
    on_collage_cnn(from, std::move(message), now);
  } else if (!std::holds_alternative<wire::Undelivered>(message)) {
    counters_.bad_messages += 1;
  }
  start_paste(now);
  return end_turn(now);
}

machine::Actions Assembler::end_turn(wire::Instant now) {
  expire(now);
  hand_out(now);
  if (draining_ && membership_.held() == 0) actions_.finished = true;
  return std::exchange(actions_, {});
}

void Assembler::on_broker(wire::Message message, wire::Instant now) {
  if (auto* assign = std::get_if<wire::Assign>(&message)) {
    take(std::move(*assign), now);
  } else if (const auto* seal = std::get_if<wire::SealCollage>(&message)) {
    on_seal(seal->batch);
  } else if (const auto* redirect = std::get_if<wire::Redirect>(&message)) {
    on_redirect(*redirect);
  } else if (const auto* drop = std::get_if<wire::DropCollage>(&message)) {
    discard(drop->batch, counters_.dropped);
  } else {
    const wire::Epoch before = membership_.epoch();
    if (!membership_.on_message(message, now, actions_)) counters_.bad_messages += 1;
    if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
      deadline_max_ = welcome->deadline_max;
    }
    if (membership_.epoch() != before) forget();
  }
}

// --- images and batches ---

void Assembler::take(wire::Assign assign, wire::Instant now) {
  Assembly* assembly = find_or_open(assign, now);
  if (!assembly) return;
  if (assign.slot >= slots_ || assembly->arrived[assign.slot]) {
    counters_.repeated += 1;
  } else if (assembly->sealed) {
    counters_.late += 1;
  } else {
    assembly->arrived[assign.slot] = true;
    assembly->to_paste += 1;
    assembly->deadline = std::max(assembly->deadline, now + assign.remaining);
    waiting_.push_back(
        {assign.batch, assembly->sequence, assign.slot, std::move(assign.image), now - assign.age});
  }
}

Assembler::Assembly* Assembler::find_or_open(const wire::Assign& assign, wire::Instant now) {
  const auto found = assemblies_.find(assign.batch);
  if (found != assemblies_.end()) return &found->second;
  // Twice the capacity, for a broker that has just restarted does not know yet which batches are
  // still held from its life before.
  if (membership_.held() >= 2 * std::size_t{membership_.hello().capacity}) {
    counters_.over_credit += 1;
    return nullptr;
  }
  // Its pipeline.yaml names fewer sinks than the broker's.
  if (assign.sink >= policy_.sinks) {
    counters_.bad_messages += 1;
    return nullptr;
  }
  if (!membership_.take(assign.sequence, assign.batch.epoch)) {
    counters_.repeated += 1;
    return nullptr;
  }
  Assembly fresh;
  fresh.sequence = assign.sequence;
  fresh.opened = now - assign.age;
  fresh.deadline = now + assign.remaining;
  fresh.sink = assign.sink;
  fresh.arrived.assign(slots_, false);
  fresh.blank.assign(slots_, true);
  return &assemblies_.emplace(assign.batch, std::move(fresh)).first->second;
}

// An image that has not arrived by now never will, for the broker's link keeps messages in order.
void Assembler::on_seal(wire::BatchId batch) {
  const auto found = assemblies_.find(batch);
  if (found == assemblies_.end()) return;
  found->second.sealed = true;
  complete(batch);
}

void Assembler::on_redirect(const wire::Redirect& redirect) {
  if (redirect.to >= policy_.sinks) {
    counters_.bad_messages += 1;
    return;
  }
  for (auto& [batch, assembly] : assemblies_) {
    if (assembly.sink == redirect.from) assembly.sink = redirect.to;
  }
  for (Finished& finished : finished_) {
    if (finished.assembly.sink == redirect.from) finished.assembly.sink = redirect.to;
  }
  if (cnn_) actions_.send(cnn_->peer, redirect);
}

void Assembler::discard(wire::BatchId batch, std::uint64_t& counter) {
  std::erase_if(waiting_, [batch](const Waiting& waiting) { return waiting.batch == batch; });
  if (const auto found = assemblies_.find(batch); found != assemblies_.end()) {
    counter += 1;
    release(found->second.sequence, batch);
    assemblies_.erase(found);
  }
  std::erase_if(finished_, [&](const Finished& finished) {
    if (finished.batch != batch) return false;
    counter += 1;
    release(finished.assembly.sequence, batch);
    return true;
  });
  if (cnn_ && std::any_of(cnn_->sent.begin(), cnn_->sent.end(),
                          [batch](const CollageCnn::Sent& sent) { return sent.batch == batch; })) {
    actions_.send(cnn_->peer, wire::DropCollage{batch});
  }
}

void Assembler::complete(wire::BatchId batch) {
  const auto found = assemblies_.find(batch);
  if (found == assemblies_.end() || !found->second.sealed || found->second.to_paste > 0) return;
  Assembly assembly = std::move(found->second);
  assemblies_.erase(found);
  const bool all_blank =
      std::all_of(assembly.blank.begin(), assembly.blank.end(), [](bool blank) { return blank; });
  if (all_blank) {
    release(assembly.sequence, batch);
  } else {
    finished_.push_back({batch, std::move(assembly)});
  }
}

void Assembler::release(wire::Sequence broker_sequence, wire::BatchId batch) {
  membership_.release(broker_sequence, batch.epoch, actions_);
}

// --- pasting ---

void Assembler::start_paste(wire::Instant now) {
  if (pasting_) return;
  expire(now);
  if (waiting_.empty()) return;
  pasting_ = std::move(waiting_.front());
  waiting_.pop_front();
  Assembly& assembly = assemblies_.at(pasting_->batch);
  work_.value += 1;
  actions_.work = machine::Work{work_, machine::Paste{std::move(assembly.canvas), pasting_->slot,
                                                      std::move(pasting_->image)}};
}

machine::Actions Assembler::on_done(wire::WorkId work, machine::Outcome outcome,
                                    wire::Instant now) {
  COLLAGE_CHECK(pasting_ && work == work_);
  const Waiting done = *std::exchange(pasting_, std::nullopt);
  auto& pasted = std::get<machine::Pasted>(outcome.what);
  if (const auto found = assemblies_.find(done.batch);
      found != assemblies_.end() && found->second.sequence == done.sequence) {
    Assembly& assembly = found->second;
    assembly.canvas = std::move(pasted.canvas);
    // A canvas that was lost with the failure had the images before.
    if (assembly.canvas.empty()) assembly.blank.assign(assembly.blank.size(), true);
    assembly.blank[done.slot] = pasted.failed || pasted.reason != wire::Reason::none;
    counters_.failed += pasted.failed ? 1 : 0;
    assembly.to_paste -= 1;
    if (pasted.reason != wire::Reason::none) {
      counters_.rejected += 1;
      actions_.send(to_sink(assembly.sink),
                    wire::Answer{done.batch,
                                 done.slot,
                                 membership_.hello().worker,
                                 false,
                                 std::min(now - done.admitted, wire::kDurationMax),
                                 {},
                                 wire::Verdict{{}, pasted.reason},
                                 {}});
    }
    complete(done.batch);
  }
  start_paste(now);
  return end_turn(now);
}

// --- the collage-CNN ---

void Assembler::on_collage_cnn(machine::Peer from, wire::Message message, wire::Instant now) {
  if (const auto* hello = std::get_if<wire::WorkerHello>(&message)) {
    on_hello(from, *hello, now);
  } else if (const auto* ready = std::get_if<wire::Ready>(&message)) {
    on_ready(from, *ready, now);
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    if (cnn_ && cnn_->peer == from) on_collage_cnn_lost();
  } else if (const auto* undecodable = std::get_if<wire::Undecodable>(&message)) {
    counters_.bad_messages += 1;
    actions_.send(from, wire::Refuse{undecodable->reason});
  } else {
    counters_.bad_messages += 1;
  }
}

void Assembler::on_hello(machine::Peer from, const wire::WorkerHello& hello, wire::Instant now) {
  const wire::Model& ours = membership_.hello().model;
  const bool fits = hello.role == wire::Role::collage && hello.model.grid == ours.grid &&
                    hello.model.labels_hash == ours.labels_hash;
  if (!fits) {
    counters_.refused += 1;
    return actions_.send(from, wire::Refuse{wire::Reason::wrong_model});
  }
  if (!cnn_ || cnn_->peer != from) {
    if (cnn_) on_collage_cnn_lost();
    cnn_ = CollageCnn{from, hello.worker, hello.capacity, now, false, {}};
    set_able(true);
  }
  heard_cnn(now);
  actions_.send(from, wire::Welcome{own_, policy_.heartbeat, 0, 0, {}});
}

void Assembler::on_ready(machine::Peer from, const wire::Ready& ready, wire::Instant now) {
  if (!cnn_ || cnn_->peer != from) {
    return actions_.send(from, wire::Refuse{wire::Reason::unknown_worker});
  }
  heard_cnn(now);
  std::erase_if(cnn_->sent, [&](const CollageCnn::Sent& sent) {
    const bool done = sent.sequence <= ready.seen && std::find(ready.held.begin(), ready.held.end(),
                                                               sent.sequence) == ready.held.end();
    if (done) release(sent.broker, sent.batch);
    return done;
  });
  set_able(!ready.leaving);
}

void Assembler::heard_cnn(wire::Instant now) {
  cnn_->heard = now;
  cnn_->spared = false;
}

void Assembler::on_collage_cnn_lost() {
  counters_.lost += cnn_->sent.size();
  for (const CollageCnn::Sent& sent : cnn_->sent) release(sent.broker, sent.batch);
  cnn_.reset();
  set_able(false);
  actions_.log(machine::LogMessage::Level::warning,
               "the collage-CNN is lost: no cover until it is back");
}

void Assembler::set_able(bool able) {
  const bool leaving = draining_ || !able;
  if (membership_.leaving() != leaving) membership_.set_leaving(leaving, actions_);
}

void Assembler::hand_out(wire::Instant now) {
  while (cnn_ && !finished_.empty() && cnn_->sent.size() < cnn_->capacity) {
    Finished next = std::move(finished_.front());
    finished_.pop_front();
    sequence_.value += 1;
    counters_.collages += 1;
    assembly_.observe(now - next.assembly.opened);
    cnn_->sent.push_back({sequence_, next.assembly.sequence, next.batch, next.assembly.opened});
    const wire::Duration age = std::min(now - next.assembly.opened, wire::kDurationMax);
    const wire::Duration remaining = next.assembly.deadline - now;  // More than 0: see expire().
    actions_.traces.push_back({.what = "assembled",
                               .batch = next.batch,
                               .slot = std::nullopt,
                               .age = age,
                               .worker = cnn_->id});
    if (auto picture = showing_.take(next.batch, next.assembly.blank, next.assembly.canvas, now)) {
      actions_.send(to_sink(next.assembly.sink), std::move(*picture));
    }
    actions_.send(cnn_->peer, wire::CollageTask{
                                  own_, sequence_, next.batch, std::move(next.assembly.blank), age,
                                  remaining, std::move(next.assembly.canvas), next.assembly.sink});
  }
}

machine::Telemetry Assembler::telemetry() const {
  machine::Telemetry report;
  membership_.report(report);
  machine::add_metrics<C>(kFigures, counters_, report);
  report.histogram("collage_assembly_duration_seconds",
                   "From a batch's first image to its collage, linger included.", assembly_);
  report.gauge("collage_batches_open", "Batches that are being assembled.",
               static_cast<double>(assemblies_.size() + finished_.size()));
  if (!cnn_) report.not_ready_reasons.push_back("no collage-CNN has joined");
  return report;
}

// --- time ---

void Assembler::forget() {
  for (const auto& [batch, assembly] : assemblies_) release(assembly.sequence, batch);
  for (const Finished& finished : finished_) release(finished.assembly.sequence, finished.batch);
  counters_.expired += assemblies_.size() + finished_.size();
  assemblies_.clear();
  finished_.clear();
  waiting_.clear();
}

void Assembler::expire(wire::Instant now) {
  std::vector<wire::BatchId> old;
  for (const auto& [batch, assembly] : assemblies_) {
    // Until the seal further images may come, with later deadlines than those that are here.
    const bool over =
        assembly.sealed ? now >= assembly.deadline : now - assembly.opened > deadline_max_;
    if (over) old.push_back(batch);
  }
  for (const Finished& finished : finished_) {
    if (now >= finished.assembly.deadline) old.push_back(finished.batch);
  }
  for (const wire::BatchId batch : old) discard(batch, counters_.expired);
}

void Assembler::forget_sent(wire::Instant now) {
  std::erase_if(cnn_->sent, [&](const CollageCnn::Sent& sent) {
    if (now - sent.opened <= deadline_max_) return false;
    counters_.expired += 1;
    release(sent.broker, sent.batch);
    return true;
  });
}

machine::Actions Assembler::on_timeout(wire::Instant now) {
  // An idle collage-CNN that is silent is gone.  A busy one may be blocked in its work, and is left
  // to the broker, which judges this assembler by the age of its oldest batch.
  if (const auto due = silent_at(); due && now >= *due) {
    // After a pause of our own it seems silent, for what it sent meanwhile has yet to be read: so
    // it has a heartbeat more, once.
    const bool paused = now - *due > policy_.heartbeat;
    if (paused && !std::exchange(cnn_->spared, true)) {
      cnn_->heard = cnn_->heard + (now - *due) + policy_.heartbeat;
    } else {
      on_collage_cnn_lost();
    }
  }
  if (cnn_) {
    forget_sent(now);
    membership_.on_timeout(now, actions_);
  }
  return end_turn(now);
}

std::optional<wire::Instant> Assembler::silent_at() const {
  if (!cnn_ || !cnn_->sent.empty()) return std::nullopt;
  return cnn_->heard + machine::silence_max(policy_.heartbeat);
}

std::optional<wire::Instant> Assembler::next_timeout() const {
  if (!cnn_) return std::nullopt;
  return machine::earliest({membership_.next_timeout(), silent_at()});
}

}  // namespace stages::collage
