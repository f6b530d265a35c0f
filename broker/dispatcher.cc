#include "broker/dispatcher.h"

#include <algorithm>

namespace broker {
namespace {

// Stragglers come in bunches: a batch or two may be hedged as a whole.
constexpr double kPurseMax = 32;

}  // namespace

void Dispatcher::on_admitted() { purse_ = std::min(kPurseMax, purse_ + policy_.hedge_rate_max); }

// A worker that an image was tied to and that is gone is made up for by another.
const Roster::Worker* Dispatcher::pick(Entry& entry) {
  if (policy_.ties == 0) return roster_.pick(entry.tried);
  std::erase_if(entry.ties, [this](wire::WorkerId id) { return !roster_.peer_of(id); });
  roster_.draw(static_cast<std::size_t>(policy_.ties), entry.ties);
  return roster_.pick_of(entry.ties, entry.tried);
}

std::optional<Dispatcher::Order> Dispatcher::give(Task task, Entry& entry, wire::Sequence& next,
                                                  wire::Instant now) {
  const Roster::Worker* worker = pick(entry);
  if (!worker) return std::nullopt;
  return give_to(*worker, task, entry, next, now);
}

Dispatcher::Order Dispatcher::give_to(const Roster::Worker& worker, Task task, Entry& entry,
                                      wire::Sequence& next, wire::Instant now) {
  next.value += 1;
  const Order order{worker.peer, next, task, false};
  entry.tried.push_back(worker.id);
  roster_.assign(worker.id, next, task, now);
  counters_.dispatched += 1;
  return order;
}

std::optional<Dispatcher::Order> Dispatcher::probe(Task task, Entry& entry, wire::Sequence& next,
                                                   wire::Instant now) {
  const Roster::Worker* worker = roster_.due_for_probe(entry.tried, now);
  if (!worker) return std::nullopt;
  counters_.probes += 1;
  return give_to(*worker, task, entry, next, now);
}

std::optional<Dispatcher::Order> Dispatcher::dispatch(Task task, Entry& entry, wire::Sequence& next,
                                                      wire::Instant now) {
  std::optional<Order> order;
  // One that may not go to every worker is not behind those that wait for others.
  if (waiting_.empty() || policy_.ties > 0) order = give(task, entry, next, now);
  if (!order) {
    waiting_.push_back(task);
    entry.waiting += 1;
  }
  return order;
}

std::optional<Dispatcher::Order> Dispatcher::hedge(Task task, Entry& entry, wire::Sequence& next,
                                                   wire::Instant now) {
  if (purse_ < 1) {
    counters_.hedges_no_rate += 1;
    return std::nullopt;
  }
  std::optional<Order> order = give(task, entry, next, now);
  if (!order) {
    counters_.hedges_no_worker += 1;
    return std::nullopt;
  }
  purse_ -= 1;
  counters_.hedges += 1;
  order->hedge = true;
  return order;
}

std::optional<Dispatcher::Order> Dispatcher::next_waiting(Ledger& ledger, wire::Sequence& next,
                                                          wire::Instant now) {
  // The first of the line, but for a second copy whose only free worker has the first, and for
  // images that are tied to others.
  for (auto it = waiting_.begin(); it != waiting_.end() && roster_.pick({});) {
    const Task task = *it;
    Entry* entry = ledger.find(task);
    const std::optional<Order> order = entry ? give(task, *entry, next, now) : std::nullopt;
    if (order) entry->waiting -= 1;
    if (!entry || order) it = waiting_.erase(it);
    if (order) return order;
    if (entry) ++it;
  }
  return std::nullopt;
}

}  // namespace broker
