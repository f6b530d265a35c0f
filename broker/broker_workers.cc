// Broker's dealings with workers and the sink: joining, credit, hedges, and losing them.
#include <string>
#include <utility>

#include "broker/broker.h"
#include "machine/trace.h"

namespace broker {
namespace {

using machine::LogMessage;
using machine::short_name;
using wire::Reason;

}  // namespace

Reason Broker::unfit(const wire::WorkerHello& hello) const {
  if (hello.role == wire::Role::collage) return Reason::wrong_role;  // It joins its assembler.
  if (hello.role == wire::Role::sink) return Reason::none;
  if (hello.model.labels_hash != labels_hash_) return Reason::wrong_model;
  const int grid = hello.role == wire::Role::assembler ? policy_.grid : 0;
  return hello.model.grid == grid ? Reason::none : Reason::wrong_grid;
}

void Broker::handle(machine::Peer from, wire::WorkerHello hello) {
  if (from.link != kWorkers) return handle(from, wire::Undecodable{Reason::wrong_role});
  if (const Reason reason = unfit(hello); reason != Reason::none) {
    counters_.workers_refused += 1;
    actions_.log(LogMessage::Level::warning, "refused " + std::string(to_string(hello.role)) + " " +
                                                 short_name(hello.worker) + ": " +
                                                 std::string(to_string(reason)));
    return actions_.send(from, wire::Refuse{reason});
  }
  hello.role == wire::Role::sink ? join_sink(from, hello) : join_worker(from, hello);
}

void Broker::join_worker(machine::Peer from, const wire::WorkerHello& hello) {
  const bool classifies = hello.role == wire::Role::classifier;
  Roster& roster = classifies ? dispatcher_.roster() : assemblers_;
  const Roster::Joined joined = roster.join(hello, from, now_);
  if (joined.full) {
    counters_.workers_refused += 1;
    return actions_.send(from, wire::Refuse{Reason::too_many_peers});
  }
  if (!joined.renewed) {
    actions_.log(LogMessage::Level::info, std::string(to_string(hello.role)) + " " +
                                              short_name(hello.worker) + " joined, model " +
                                              hello.model.version);
  }
  welcome(from, 0);
  for (const Roster::Loss& loss : joined.losses) classifies ? lose(loss) : uncover(loss);
  dispatch_waiting();
}

void Broker::join_sink(machine::Peer from, const wire::WorkerHello& hello) {
  const bool renewed = sink_ && sink_->peer == from && sink_->id == hello.worker;
  sink_ = Sink{hello.worker, from};
  welcome(from, 0);
  if (!renewed)
    actions_.log(LogMessage::Level::info, "sink " + short_name(hello.worker) + " joined");
  for (const auto& [number, batch] : ledger_.batches()) {
    tell_sink(wire::BatchOpened{batch.id, slots_, now_ - batch.opened, !batch.covers.empty()});
    if (!batch.sealed) continue;
    tell_sink(ages(batch));
  }
}

void Broker::tell_sink(wire::Message message) {
  if (sink_) actions_.send(sink_->peer, std::move(message));
}

void Broker::handle(machine::Peer from, wire::Ready ready) {
  if (from.link != kWorkers) return handle(from, wire::Undecodable{Reason::wrong_role});
  if (dispatcher_.roster().ready(from, ready, now_)) return dispatch_waiting();
  if (assemblers_.ready(from, ready, now_)) return;
  if (sink_ && sink_->peer == from) return;
  actions_.send(from, wire::Refuse{Reason::unknown_worker});
}

void Broker::send_order(const Dispatcher::Order& order) {
  const Entry& entry = *ledger_.find(order.task);
  actions_.traces.push_back({.what = order.hedge ? "hedged" : "dispatched",
                             .batch = {epoch_, {order.task.batch}},
                             .slot = order.task.slot,
                             .age = now_ - entry.admitted,
                             .worker = entry.tried.back()});
  actions_.send(order.peer, wire::Assign{order.sequence,
                                         {epoch_, {order.task.batch}},
                                         order.task.slot,
                                         order.hedge,
                                         now_ - entry.admitted,
                                         entry.deadline - now_,
                                         entry.image});
}

void Broker::dispatch_waiting() {
  while (const auto order = dispatcher_.next_waiting(ledger_, sequence_, now_)) send_order(*order);
}

void Broker::hedge(Task task) {
  Entry* entry = ledger_.find(task);
  if (!entry) return;
  entry->hedge_at.reset();
  if (const auto order = dispatcher_.hedge(task, *entry, sequence_, now_)) send_order(*order);
}

void Broker::lose(const std::optional<Roster::Loss>& loss) {
  if (!loss) return;
  counters_.workers_lost += 1;
  actions_.log(LogMessage::Level::warning, "lost classifier " + short_name(loss->worker) +
                                               " with " + std::to_string(loss->tasks.size()) +
                                               " tasks");
  for (const Task task : loss->tasks) {
    Entry* entry = ledger_.find(task);
    if (!entry) continue;
    std::erase(entry->tried, loss->worker);
    // A probe or a hedge is one more than its image's copies: with all of these still in line, its
    // loss wants no further place there.
    if (entry->waiting >= static_cast<std::size_t>(policy_.redundancy.copies)) continue;
    counters_.redispatched += 1;
    if (const auto order = dispatcher_.dispatch(task, *entry, sequence_, now_)) send_order(*order);
  }
  dispatch_waiting();
}

void Broker::uncover(const std::optional<Roster::Loss>& loss) {
  if (!loss) return;
  counters_.workers_lost += 1;
  actions_.log(LogMessage::Level::warning, "lost assembler " + short_name(loss->worker) + " with " +
                                               std::to_string(loss->tasks.size()) + " batches");
  for (const Task task : loss->tasks) {
    Batch* batch = ledger_.find_batch(task.batch);
    if (!batch) continue;
    std::erase_if(batch->covers,
                  [&loss](const Cover& cover) { return cover.assembler == loss->worker; });
  }
}

void Broker::sweep() {
  next_sweep_ = now_ + policy_.heartbeat;
  const wire::Duration p99 = std::max(service_.p99, policy_.hedge_after);
  const wire::Duration suspect_age =
      wire::from_seconds(wire::to_seconds(p99) * policy_.suspect_factor);
  for (const Roster::Loss& loss : dispatcher_.roster().sweep(now_, suspect_age)) lose(loss);
  for (const Roster::Loss& loss : assemblers_.sweep(now_, suspect_age)) uncover(loss);
  sessions_.sweep(now_);
  corrections_.expire(now_);
  // A busy worker need not speak, but if its connection is gone this comes back at once.
  for (const machine::Peer peer : dispatcher_.roster().busy()) welcome(peer, 0);
  for (const machine::Peer peer : assemblers_.busy()) welcome(peer, 0);
}

void Broker::lose_sink() {
  actions_.log(LogMessage::Level::warning, "lost sink " + short_name(sink_->id));
  sink_.reset();
}

}  // namespace broker
