#include "stages/collage/assembler.h"

#include <algorithm>
#include <string>
#include <utility>

#include "machine/earliest.h"
#include "wire/check.h"

namespace stages::collage {
namespace {

constexpr machine::Peer kToBroker{Assembler::kBroker, 0};
constexpr machine::Peer kToSink{Assembler::kSink, 0};

}  // namespace

Assembler::Assembler(wire::WorkerHello hello, wire::Epoch own, Policy policy)
    : slots_(static_cast<std::size_t>(hello.model.grid) * hello.model.grid),
      own_(own),
      policy_(policy),
      membership_(std::move(hello), policy.membership) {
  COLLAGE_CHECK(slots_ >= 1 && slots_ <= wire::kSlotsMax);
}

machine::Actions Assembler::on_message(machine::Peer from, wire::Message message,
                                       wire::Instant now) {
  if (std::holds_alternative<wire::Drain>(message)) {
    draining_ = true;
    actions_.send(kToBroker, membership_.set_leaving(true));
  } else if (from.link == kBroker) {
    on_broker(std::move(message), now);
  } else if (from.link == kCollage) {
    on_node(from, std::move(message), now);
  } else {
    (std::holds_alternative<wire::Undelivered>(message) ? counters_.undelivered
                                                        : counters_.bad_messages) += 1;
  }
  start_paste();
  hand_out(now);
  if (draining_ && membership_.held() == 0) actions_.finished = true;
  return std::exchange(actions_, {});
}

void Assembler::on_broker(wire::Message message, wire::Instant now) {
  if (auto* assign = std::get_if<wire::Assign>(&message)) {
    take(std::move(*assign), now);
  } else if (const auto* seal = std::get_if<wire::SealCollage>(&message)) {
    on_seal(seal->batch);
  } else if (const auto* drop = std::get_if<wire::DropCollage>(&message)) {
    discard(drop->batch, counters_.dropped);
  } else if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
    deadline_max_ = welcome->deadline_max;
    if (membership_.on_welcome(*welcome, now)) forget();
  } else if (const auto* refuse = std::get_if<wire::Refuse>(&message)) {
    membership_.on_refuse(*refuse, now);
    actions_.log(machine::LogMessage::Level::warning,
                 "the broker refuses us: " + std::string(to_string(refuse->reason)));
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    counters_.undelivered += 1;
    membership_.on_undelivered(now);
  } else {
    counters_.bad_messages += 1;
  }
}

// --- images and batches ---

void Assembler::take(wire::Assign assign, wire::Instant now) {
  auto found = assemblies_.find(assign.batch);
  if (found == assemblies_.end()) {
    if (assemblies_.size() >= 2 * std::size_t{membership_.hello().capacity}) {
      counters_.over_credit += 1;
      return;
    }
    if (!membership_.take(assign.sequence, assign.batch.epoch)) {
      counters_.repeated += 1;
      return;
    }
    Assembly fresh;
    fresh.sequence = assign.sequence;
    fresh.opened = now - assign.age;
    fresh.arrived.assign(slots_, false);
    fresh.blank.assign(slots_, true);
    found = assemblies_.emplace(assign.batch, std::move(fresh)).first;
  }
  Assembly& assembly = found->second;
  if (assign.slot >= slots_ || assembly.arrived[assign.slot]) {
    counters_.repeated += 1;
  } else if (assembly.sealed) {
    counters_.late += 1;
  } else {
    assembly.arrived[assign.slot] = true;
    assembly.to_paste += 1;
    waiting_.push_back({assign.batch, assign.slot, std::move(assign.image), now - assign.age});
  }
}

// What has not arrived by now never will: the broker's link keeps order.
void Assembler::on_seal(wire::BatchId batch) {
  const auto found = assemblies_.find(batch);
  if (found == assemblies_.end()) return;
  found->second.sealed = true;
  complete(batch);
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
  if (node_ && std::any_of(node_->sent.begin(), node_->sent.end(),
                           [batch](const Node::Sent& sent) { return sent.batch == batch; })) {
    actions_.send(node_->peer, wire::DropCollage{batch});
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
  actions_.send(kToBroker, membership_.release(broker_sequence, batch.epoch));
}

// --- pasting ---

void Assembler::start_paste() {
  if (pasting_ || waiting_.empty()) return;
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
  if (const auto found = assemblies_.find(done.batch); found != assemblies_.end()) {
    Assembly& assembly = found->second;
    assembly.canvas = std::move(pasted.canvas);
    assembly.blank[done.slot] = pasted.reason != wire::Reason::none;
    assembly.to_paste -= 1;
    if (pasted.reason != wire::Reason::none) {
      counters_.rejected += 1;
      actions_.send(kToSink, wire::Answer{done.batch,
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
  start_paste();
  hand_out(now);
  if (draining_ && membership_.held() == 0) actions_.finished = true;
  return std::exchange(actions_, {});
}

// --- the collage-CNN ---

void Assembler::on_node(machine::Peer from, wire::Message message, wire::Instant now) {
  if (const auto* hello = std::get_if<wire::WorkerHello>(&message)) {
    on_hello(from, *hello, now);
  } else if (const auto* ready = std::get_if<wire::Ready>(&message)) {
    on_ready(from, *ready, now);
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    counters_.undelivered += 1;
    if (node_ && node_->peer == from) lose_node();
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
  if (!node_ || node_->peer != from) {
    if (node_) lose_node();
    node_ = Node{from, hello.worker, hello.capacity, now, {}};
    cover(true);
  }
  node_->heard = now;
  actions_.send(from, wire::Welcome{own_, policy_.heartbeat, 0, 0, {}});
}

void Assembler::on_ready(machine::Peer from, const wire::Ready& ready, wire::Instant now) {
  if (!node_ || node_->peer != from) {
    return actions_.send(from, wire::Refuse{wire::Reason::unknown_worker});
  }
  node_->heard = now;
  std::erase_if(node_->sent, [&](const Node::Sent& sent) {
    const bool done = sent.sequence <= ready.seen && std::find(ready.held.begin(), ready.held.end(),
                                                               sent.sequence) == ready.held.end();
    if (done) release(sent.broker, sent.batch);
    return done;
  });
  cover(!ready.leaving);
}

void Assembler::lose_node() {
  counters_.lost += node_->sent.size();
  for (const Node::Sent& sent : node_->sent) release(sent.broker, sent.batch);
  node_.reset();
  cover(false);
  actions_.log(machine::LogMessage::Level::warning,
               "the collage-CNN is lost: no cover until it is back");
}

void Assembler::cover(bool able) {
  const bool leaving = draining_ || !able;
  if (membership_.leaving() != leaving) actions_.send(kToBroker, membership_.set_leaving(leaving));
}

void Assembler::hand_out(wire::Instant now) {
  while (node_ && !finished_.empty() && node_->sent.size() < node_->capacity) {
    Finished next = std::move(finished_.front());
    finished_.pop_front();
    sequence_.value += 1;
    counters_.collages += 1;
    assembly_.observe(now - next.assembly.opened);
    node_->sent.push_back({sequence_, next.assembly.sequence, next.batch, next.assembly.opened});
    const wire::Duration age = std::min(now - next.assembly.opened, wire::kDurationMax);
    actions_.traces.push_back({.what = "assembled",
                               .batch = next.batch,
                               .slot = std::nullopt,
                               .age = age,
                               .worker = node_->id});
    actions_.send(node_->peer,
                  wire::CollageTask{own_, sequence_, next.batch, std::move(next.assembly.blank),
                                    age, std::move(next.assembly.canvas)});
  }
}

machine::Telemetry Assembler::telemetry() const {
  machine::Telemetry report;
  membership_.report(report);
  report.counter("collage_collages_total", "Collages handed to the collage-CNN.",
                 counters_.collages);
  report.histogram("collage_assembly_duration_seconds",
                   "From a batch's first image to its collage, linger included.", assembly_);
  report.gauge("collage_batches_open", "Batches that are being assembled.",
               static_cast<double>(assemblies_.size() + finished_.size()));
  report.counters("collage_batches_given_up_total", "Batches that no collage was made of.",
                  "reason",
                  {{"not_wanted", counters_.dropped},
                   {"lost", counters_.lost},
                   {"expired", counters_.expired}});
  report.dropped({{"rejected", counters_.rejected},
                  {"late", counters_.late},
                  {"repeated", counters_.repeated},
                  {"over_credit", counters_.over_credit},
                  {"refused", counters_.refused},
                  {"undelivered", counters_.undelivered},
                  {"bad_message", counters_.bad_messages}});
  if (!node_) report.not_ready_reasons.push_back("no collage-CNN has joined");
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
  const auto over = [&](wire::Instant opened) { return now - opened > deadline_max_; };
  std::vector<wire::BatchId> old;
  for (const auto& [batch, assembly] : assemblies_) {
    if (over(assembly.opened)) old.push_back(batch);
  }
  for (const Finished& finished : finished_) {
    if (over(finished.assembly.opened)) old.push_back(finished.batch);
  }
  for (const wire::BatchId batch : old) discard(batch, counters_.expired);
  std::erase_if(node_->sent, [&](const Node::Sent& sent) {
    if (!over(sent.opened)) return false;
    counters_.expired += 1;
    release(sent.broker, sent.batch);
    return true;
  });
}

machine::Actions Assembler::on_timeout(wire::Instant now) {
  // Idle and silent: its process is gone.  A busy one may be deaf; then the broker judges us.
  if (node_ && node_->sent.empty() && now >= node_->heard + policy_.heartbeat * 7 / 2) lose_node();
  if (node_) {
    expire(now);
    if (auto message = membership_.on_timeout(now)) actions_.send(kToBroker, std::move(*message));
  }
  hand_out(now);
  if (draining_ && membership_.held() == 0) actions_.finished = true;
  return std::exchange(actions_, {});
}

std::optional<wire::Instant> Assembler::next_timeout() const {
  if (!node_) return std::nullopt;
  std::optional<wire::Instant> silent;
  if (node_->sent.empty()) silent = node_->heard + policy_.heartbeat * 7 / 2;
  return machine::earliest({membership_.next_timeout(), silent});
}

}  // namespace stages::collage
