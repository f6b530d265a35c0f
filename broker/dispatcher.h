// Decides which worker gets which task, and which tasks wait.
//
// A task goes at once to the best worker with credit (Roster::pick); without one it waits in
// line.  Hedges stay within a rate: every admitted image earns `hedge_rate_max` of a hedge, up
// to a small purse, and each hedge spends one, so that when everything is slow hedging stops
// instead of doubling the load.
//
// Dispatcher is pure.  The line is first in, first out; its length is bounded by the broker's
// open_request_max times the copies.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "broker/ledger.h"
#include "broker/roster.h"

namespace broker {

class Dispatcher {
 public:
  struct Policy {
    Roster::Policy roster;
    double hedge_rate_max = 0;
    int ties = 0;  // As in Redundancy.
  };
  // A task to be sent.
  struct Order {
    machine::Peer peer;
    wire::Sequence sequence;
    Task task;
    bool hedge = false;
  };

  explicit Dispatcher(Policy policy) : policy_(policy), roster_(policy.roster) {}

  // An image was admitted: earns its share of a hedge.
  void on_admitted();

  // Gives the slot to a worker that has not tried it, and notes that in the entry; nullopt if
  // it has to wait for one.  Sequences are drawn from `next`.
  std::optional<Order> dispatch(Task task, Entry& entry, wire::Sequence& next, wire::Instant now);

  // Gives the slot to another worker as a hedge; nullopt (counted) if no worker is free or the
  // rate does not allow it.  A hedge does not wait in line.
  std::optional<Order> hedge(Task task, Entry& entry, wire::Sequence& next, wire::Instant now);

  // Gives the slot, which a worker has already, to one on probation too, if one is due for a probe.
  std::optional<Order> probe(Task task, Entry& entry, wire::Sequence& next, wire::Instant now);

  // The next of the line that a worker is free for.
  std::optional<Order> next_waiting(Ledger& ledger, wire::Sequence& next, wire::Instant now);

  // Takes a settled slot out of the line.
  void forget(Task task) { std::erase(waiting_, task); }

  Roster& roster() { return roster_; }
  const Roster& roster() const { return roster_; }

  struct Counters {
    std::uint64_t dispatched = 0;  // Tasks sent, hedges, copies and probes included.
    std::uint64_t probes = 0;
    std::uint64_t hedges = 0;
    std::uint64_t hedges_no_rate = 0;  // Not started: hedge_rate_max.
    std::uint64_t hedges_no_worker = 0;
  };
  const Counters& counters() const { return counters_; }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  const Roster::Worker* pick(Entry& entry);
  std::optional<Order> give(Task task, Entry& entry, wire::Sequence& next, wire::Instant now);
  Order give_to(const Roster::Worker& worker, Task task, Entry& entry, wire::Sequence& next,
                wire::Instant now);

  const Policy policy_;
  Roster roster_;
  std::deque<Task> waiting_;
  double purse_ = 0;  // Hedges that may be started.
  Counters counters_;
};

}  // namespace broker
