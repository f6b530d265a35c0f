// Broker's dealings with workers and the sink: joining, credit, hedges, and losing them.
#include <algorithm>
#include <string>
#include <utility>

#include "broker/broker.h"
#include "machine/trace.h"

namespace broker {

using machine::short_name;
using wire::Reason;
using Level = machine::LogMessage::Level;

namespace {

// Uncovered batches come by the hundred a second under load; a line each would bury the rest of
// the log.
constexpr wire::Duration kUncoveredLogEvery = std::chrono::seconds(10);

}  // namespace

// --- joining ---

Reason Broker::refusal_reason(const wire::WorkerHello& hello) const {
  // A collage-CNN joins its assembler, never the broker.
  if (hello.role == wire::Role::collage) return Reason::wrong_role;
  if (hello.role == wire::Role::sink) return Reason::none;
  if (hello.model.labels_hash != labels_hash_) return Reason::wrong_model;
  const int grid = hello.role == wire::Role::assembler ? policy_.grid : 0;
  return hello.model.grid == grid ? Reason::none : Reason::wrong_grid;
}

void Broker::on_hello(machine::Peer from, const wire::WorkerHello& hello) {
  if (const Reason reason = refusal_reason(hello); reason != Reason::none) {
    counters_.workers_refused += 1;
    actions_.log(Level::warning, "refused " + std::string(to_string(hello.role)) + " " +
                                     short_name(hello.worker) + ": " +
                                     std::string(to_string(reason)));
    return actions_.send(from, wire::Refuse{reason});
  }
  hello.role == wire::Role::sink ? join_sink(from, hello) : join_worker(from, hello);
}

void Broker::join_worker(machine::Peer from, const wire::WorkerHello& hello) {
  const bool classifies = hello.role == wire::Role::classifier;
  Roster& roster = classifies ? dispatcher_.roster() : covers_.roster();
  const Roster::Joined joined = roster.join(hello, from, now_);
  if (joined.full) {
    counters_.workers_refused += 1;
    return actions_.send(from, wire::Refuse{Reason::too_many_peers});
  }
  if (!joined.renewed) {
    const std::string place = place_text(hello.location);
    actions_.log(Level::info, std::string(to_string(hello.role)) + " " + short_name(hello.worker) +
                                  (place.empty() ? "" : " (" + place + ")") + " joined, model " +
                                  hello.model.version);
  }
  welcome(from, 0);
  for (const Roster::Loss& loss : joined.losses) {
    classifies ? on_classifier_lost(loss) : on_assembler_lost(loss);
  }
  book_.on_joined(hello, now_);
  dispatch_waiting();
}

void Broker::join_sink(machine::Peer from, const wire::WorkerHello& hello) {
  if (hello.sink >= policy_.sink_max) {
    counters_.workers_refused += 1;
    actions_.log(Level::warning, "refused sink " + short_name(hello.worker) + ": its index is " +
                                     std::to_string(hello.sink) + ", endpoints.answers has " +
                                     std::to_string(policy_.sink_max));
    return actions_.send(from, wire::Refuse{Reason::too_many_peers});
  }
  if (sinks_.join(hello.sink, hello.worker, from, now_)) {
    actions_.log(Level::info, "sink " + short_name(hello.worker) + " joined");
  }
  welcome(from, 0);
  move_batches(hello.sink, hello.sink);
  // Those of sinks that were lost before there was another.
  for (wire::SinkIndex index = 0; index < policy_.sink_max; ++index) {
    if (!sinks_.joined(index)) move_batches(index, hello.sink);
  }
}

// --- tasks ---

void Broker::on_ready(machine::Peer from, const wire::Ready& ready) {
  if (dispatcher_.roster().ready(from, ready, now_)) return dispatch_waiting();
  if (covers_.roster().ready(from, ready, now_)) return serve_line();
  if (sinks_.is(from)) return;  // A sink has no credit to give; its Ready is a sign of life.
  actions_.send(from, wire::Refuse{Reason::unknown_worker});
}

void Broker::send_order(const Dispatcher::Order& order) {
  const Entry& entry = *order.entry;
  const wire::BatchId batch{epoch_, {entry.task.batch}};
  const wire::Duration age = now_ - entry.admitted;
  actions_.traces.push_back({.what = order.hedge ? "hedged" : "dispatched",
                             .batch = batch,
                             .slot = entry.task.slot,
                             .age = age,
                             .worker = entry.tried.back()});
  actions_.send(order.peer, wire::Assign{order.sequence, batch, entry.task.slot, order.hedge, age,
                                         entry.deadline - now_, entry.image,
                                         ledger_.find_batch(entry.task.batch)->sink});
}

void Broker::dispatch_waiting() {
  while (const auto order = dispatcher_.next_waiting(ledger_, now_)) send_order(*order);
  if (overload_.on()) serve_line();
}

// An image that is open for so long may need another s-CNN.
void Broker::look(Task task) {
  Entry* entry = ledger_.find(task);
  if (!entry) return;
  ledger_.look_again(*entry, now_ + look_every());
  if (abandoned(*entry)) {
    Batch& batch = *ledger_.find_batch(entry->task.batch);
    // The answer may wait at a sink that is blocked.
    if (!sinks_.listens(batch.sink, now_)) return;
    // It was lost, perhaps on a bad link to this sink: the next goes to another if there is one.
    // Or this sink's choice was lost on its way here: it is asked for it by opening the batch anew.
    sinks_.move(batch, sinks_.choose(now_), now_, actions_);
    return dispatch_again(*entry);
  }
  if (now_ >= entry->hedge_from) hedge(*entry);
}

void Broker::hedge(Entry& entry) {
  const Batch& batch = *ledger_.find_batch(entry.task.batch);
  if (batch.collage_only && entry.tried.empty()) return rescue(entry);
  const bool hedges = policy_.redundancy.hedge != Redundancy::Hedge::never;
  const bool spare = hedges && line_.empty() && dispatcher_.free();
  const bool first = overload_.on() && entry.favoured && hedges;
  if (!first && brownout() && batch.covers.empty() && !entry.moved_from && !spare) {
    if (std::ranges::find(late_, entry.task) == late_.end()) {
      late_.push_back(entry.task);
    }
    return serve_line();
  }
  if (!hedges) return;
  // For an image that is open for so much longer, both s-CNNs are lost or stuck.
  entry.hedge_from = now_ + suspect_age();
  const auto order = first ? dispatcher_.hedge_first(entry, now_) : dispatcher_.hedge(entry, now_);
  if (order) send_order(*order);
}

// Whether every s-CNN that was given the image is done with it.
bool Broker::abandoned(const Entry& entry) const {
  const Roster& roster = dispatcher_.roster();
  return entry.given && std::ranges::none_of(entry.tried, [&](wire::WorkerId id) {
           return roster.has(id, entry.task) ||
                  (entry.moved_from && roster.has(id, *entry.moved_from));
         });
}

// No hedge, for no other copy is at work; so it costs no token, and every policy has it.
void Broker::dispatch_again(Entry& entry) {
  // The same s-CNN again is better than none.
  if (!dispatcher_.roster().pick(entry.tried)) entry.tried.clear();
  // An image in line may have waited for an s-CNN other than those that it can have now.
  if (entry.waiting > 0) return dispatch_waiting();
  counters_.redispatched += 1;
  if (const auto order = dispatcher_.dispatch_first(entry, now_)) send_order(*order);
}

void Broker::log_uncovered() {
  if (uncovered_logged_ && now_ - *uncovered_logged_ < kUncoveredLogEvery) return;
  uncovered_logged_ = now_;
  actions_.log(Level::warning, "no collage stage is free: batches go without cover, " +
                                   std::to_string(counters_.batches_uncovered) +
                                   " since the start");
}

// --- losing them ---

void Broker::on_worker_undelivered(machine::Peer from) {
  if (const auto loss = dispatcher_.roster().lost(from)) on_classifier_lost(*loss);
  if (const auto loss = covers_.roster().lost(from)) on_assembler_lost(*loss);
}

void Broker::log_lost(const char* role, const Roster::Loss& loss, const char* tasks) {
  actions_.log(Level::warning, std::string("lost ") + role + " " + book_.described(loss.worker) +
                                   " with " + std::to_string(loss.tasks.size()) + tasks);
  book_.on_lost(loss.worker, loss.cause, loss.leaving, now_);
}

void Broker::on_classifier_lost(const Roster::Loss& loss) {
  counters_.workers_lost += 1;
  log_lost("classifier", loss, " tasks");
  for (const Task task : loss.tasks) {
    Entry* entry = ledger_.find(task);
    if (!entry) continue;
    std::erase(entry->tried, loss.worker);
    // A probe or a hedge is one more than its image's copies.  While all of these are still in
    // line, the loss of the probe or hedge needs no further place there.
    if (entry->waiting >= static_cast<std::size_t>(policy_.redundancy.singles_per_image)) continue;
    counters_.redispatched += 1;
    if (const auto order = dispatcher_.dispatch(*entry, now_)) send_order(*order);
  }
  dispatch_waiting();
}

void Broker::on_assembler_lost(const Roster::Loss& loss) {
  counters_.workers_lost += 1;
  log_lost("assembler", loss, " batches");
  Covers::on_assembler_lost(loss, ledger_);
  for (const Task task : loss.tasks) rescue_batch(task.batch);
}

void Broker::on_sink_lost(const Sinks::Lost& lost) {
  actions_.log(Level::warning, "lost sink " + short_name(lost.id));
  if (sinks_.size() > 0) move_batches(lost.index, sinks_.choose(now_));
}

// Opens the batches of a sink anew at another, or at the process that has taken its place, and has
// the stages send their answers there.
void Broker::move_batches(wire::SinkIndex from, wire::SinkIndex to) {
  std::optional<wire::BatchId> oldest;
  for (const auto& [number, batch] : ledger_.batches()) {
    if (batch.sink != from) continue;
    if (!oldest) oldest = batch.id;
    counters_.batches_moved += from != to ? 1 : 0;
    sinks_.move(*ledger_.find_batch(number), to, now_, actions_);
  }
  if (!oldest) return;
  const wire::Redirect redirect{from, to, *oldest};
  for (const machine::Peer peer : dispatcher_.roster().peers()) actions_.send(peer, redirect);
  for (const machine::Peer peer : covers_.roster().peers()) actions_.send(peer, redirect);
}

// So old is no task but one whose worker, or whose answer, is lost or stuck.
wire::Duration Broker::suspect_age() const {
  const wire::Duration p99 = std::max(service_.p99, policy_.hedge_after);
  return wire::from_seconds(wire::to_seconds(p99) * policy_.suspect_factor);
}

// How often an open image is looked at again.  Not as often as stages are quick: thousands of
// images may be open.  Nor at a quantile of ages, which lost answers make longer and longer.
wire::Duration Broker::look_every() const { return std::max(service_.p99, policy_.hedge_after); }

// Loses the peers that are silent, and the stages that hold a task for too long.
void Broker::judge_peers() {
  for (const Roster::Loss& loss : dispatcher_.roster().sweep(now_, suspect_age())) {
    on_classifier_lost(loss);
  }
  for (const Roster::Loss& loss : covers_.roster().sweep(now_, suspect_age())) {
    on_assembler_lost(loss);
  }
  while (const auto lost = sinks_.leave_silent(now_)) on_sink_lost(*lost);
  sessions_.sweep(now_);
}

void Broker::sweep() {
  // After a pause of our own all peers seem silent and all tasks old, for what was sent to us
  // meanwhile has yet to be read.  By the next sweep it has been, and that one judges even if it is
  // late: a broker that is always late must not keep the dead.
  const bool late = now_ - next_sweep_ > policy_.heartbeat;
  judged_ = !late || !judged_;
  next_sweep_ = now_ + policy_.heartbeat;
  if (judged_) judge_peers();
  update_overload();
  if (overload_.on()) serve_line();
  corrections_.expire(now_);
  report_health();
  // A worker that is blocked in its work sends nothing, and need not.  A message to it fails at
  // once if its connection is gone, long before task_age_max would show the loss.
  for (const machine::Peer peer : dispatcher_.roster().busy()) welcome(peer, 0);
  for (const machine::Peer peer : covers_.roster().busy()) welcome(peer, 0);
}

}  // namespace broker
