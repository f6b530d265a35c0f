#include "broker/dispatcher.h"

#include <algorithm>

namespace broker {
namespace {

// Stragglers come in bunches: a batch or two may be hedged as a whole.
constexpr double kHedgeTokensMax = 32;

}  // namespace

void Dispatcher::on_admitted() {
  hedge_tokens_ = std::min(kHedgeTokensMax, hedge_tokens_ + policy_.hedge_rate_max);
}

const Roster::Worker* Dispatcher::pick(Entry& entry) {
  if (policy_.ties == 0) return roster_.pick(entry.tried);
  // Another worker replaces a tied one that is gone, or the image would have fewer and fewer to go
  // to, and in the end none.
  std::erase_if(entry.ties, [this](wire::WorkerId id) { return !roster_.peer_of(id); });
  roster_.draw(static_cast<std::size_t>(policy_.ties), entry.ties);
  return roster_.pick_of(entry.ties, entry.tried);
}

std::optional<Dispatcher::Order> Dispatcher::give(Entry& entry, wire::Instant now) {
  const Roster::Worker* worker = pick(entry);
  if (!worker) return std::nullopt;
  return give_to(*worker, entry, now);
}

Dispatcher::Order Dispatcher::give_to(const Roster::Worker& worker, Entry& entry,
                                      wire::Instant now) {
  const Order order{worker.peer, sequences_.next(), &entry, false};
  entry.tried.push_back(worker.id);
  entry.given = true;
  roster_.assign(worker.id, order.sequence, entry.task, now);
  roster_.begin(worker.id, order.sequence, now);
  counters_.dispatched += 1;
  return order;
}

std::optional<Dispatcher::Order> Dispatcher::probe(Entry& entry, wire::Instant now) {
  const Roster::Worker* worker = roster_.due_for_probe(entry.tried, now);
  if (!worker) return std::nullopt;
  counters_.probes += 1;
  return give_to(*worker, entry, now);
}

std::optional<Dispatcher::Order> Dispatcher::dispatch(Entry& entry, wire::Instant now) {
  std::optional<Order> order;
  // With ties an image does not stand behind those that wait for other workers than its own.
  if (waiting() == 0 || policy_.ties > 0) order = give(entry, now);
  if (!order) {
    waiting_.push_back(entry.task);
    entry.waiting += 1;
  }
  return order;
}

std::optional<Dispatcher::Order> Dispatcher::dispatch_first(Entry& entry, wire::Instant now) {
  std::optional<Order> order = give(entry, now);
  if (!order) {
    first_.push_back(entry.task);
    entry.waiting += 1;
  }
  return order;
}

std::optional<Dispatcher::Order> Dispatcher::hedge(Entry& entry, wire::Instant now) {
  if (hedge_tokens_ < 1) {
    counters_.hedges_no_rate += 1;
    return std::nullopt;
  }
  std::optional<Order> order = give(entry, now);
  if (!order) {
    counters_.hedges_no_worker += 1;
    return std::nullopt;
  }
  hedge_tokens_ -= 1;
  counters_.hedges += 1;
  order->hedge = true;
  return order;
}

void Dispatcher::forget(Task task) {
  std::erase(hedges_, task);
  std::erase(first_, task);
  std::erase(waiting_, task);
}

std::optional<Dispatcher::Order> Dispatcher::hedge_first(Entry& entry, wire::Instant now) {
  if (std::ranges::find(hedges_, entry.task) != hedges_.end()) return std::nullopt;
  if (hedge_tokens_ < 1 || pick(entry)) return hedge(entry, now);
  hedge_tokens_ -= 1;
  hedges_.push_back(entry.task);
  entry.waiting += 1;
  return std::nullopt;
}

std::optional<Dispatcher::Order> Dispatcher::next_waiting(Ledger& ledger, wire::Instant now) {
  if (std::optional<Order> order = next_of(hedges_, ledger, now)) {
    counters_.hedges += 1;
    order->hedge = true;
    return order;
  }
  if (std::optional<Order> order = next_of(first_, ledger, now)) return order;
  return next_of(waiting_, ledger, now);
}

std::optional<Dispatcher::Order> Dispatcher::next_of(std::deque<Task>& line, Ledger& ledger,
                                                     wire::Instant now) {
  // Not simply the first of the line: a second copy may find that the only free worker has the
  // first copy, and a tied image that the free workers are not its own.  Those keep their places
  // and the search goes on behind them, for a free worker must not idle.  While no worker at all is
  // free the line is not walked, which keeps a full line cheap under overload.
  for (auto it = line.begin(); it != line.end() && roster_.pick({});) {
    const Task task = *it;
    Entry* entry = ledger.find(task);
    const std::optional<Order> order = entry ? give(*entry, now) : std::nullopt;
    if (order) entry->waiting -= 1;
    if (!entry || order) it = line.erase(it);
    if (order) return order;
    if (entry) ++it;
  }
  return std::nullopt;
}

}  // namespace broker
