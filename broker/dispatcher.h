// Decides which worker gets which task, and which tasks wait.
//
// A task goes at once to the best worker with credit (Roster::pick); without one it waits in
// line.  A token bucket bounds the rate of hedges: every admitted image adds `hedge_rate_max` of a
// token, up to a small maximum, and each hedge costs one token.  When everything is slow hedging
// stops instead of doubling the load.
//
// Dispatcher is pure.  The line is first in, first out; its length is bounded by the broker's
// open_request_max times Redundancy::singles_per_image.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "broker/ledger.h"
#include "broker/roster.h"
#include "broker/task.h"

namespace broker {

class Dispatcher {
 public:
  struct Policy {
    Roster::Policy roster;
    double hedge_rate_max = 0;
    int ties = 0;  // Redundancy::ties.
  };
  // A task that the caller must send.
  struct Order {
    machine::Peer peer;
    wire::Sequence sequence;
    const Entry* entry = nullptr;  // Valid as long as the ledger keeps the entry in place.
    bool hedge = false;
  };

  // `sequences` must outlive this object.
  Dispatcher(Policy policy, SequenceSource& sequences)
      : policy_(policy), sequences_(sequences), roster_(policy.roster) {}

  // Adds an admitted image's share of a hedge token.
  void on_admitted();

  // Gives the slot to a worker that has not tried it, and notes the worker in the entry; nullopt
  // if no such worker is free and the slot was put in line.
  std::optional<Order> dispatch(Entry& entry, wire::Instant now);

  // The same, but puts the slot before all others of the line, behind those put there before it.
  std::optional<Order> dispatch_first(Entry& entry, wire::Instant now);

  // Whether any worker has credit.
  bool free() const { return roster_.pick({}) != nullptr; }

  // Gives the slot to another worker as a hedge; nullopt (counted) if no worker is free or the
  // rate does not allow it.  A hedge does not wait in line.
  std::optional<Order> hedge(Entry& entry, wire::Instant now);

  // The same, but if no worker is free the hedge waits before all others; nullopt then, too.
  std::optional<Order> hedge_first(Entry& entry, wire::Instant now);

  // Gives a slot that another worker has already to a worker on probation, if one is due for a
  // probe.
  std::optional<Order> probe(Entry& entry, wire::Instant now);

  // Gives out the first slot of the line that a worker is free for; nullopt if there is none.
  std::optional<Order> next_waiting(Ledger& ledger, wire::Instant now);

  // Takes a settled slot out of the line.
  void forget(Task task);

  Roster& roster() { return roster_; }
  const Roster& roster() const { return roster_; }

  struct Counters {
    std::uint64_t dispatched = 0;  // Tasks sent, hedges, copies and probes included.
    std::uint64_t probes = 0;
    std::uint64_t hedges = 0;
    std::uint64_t hedges_no_rate = 0;    // Hedges not started: at hedge_rate_max.
    std::uint64_t hedges_no_worker = 0;  // Hedges not started: no worker was free.
  };
  const Counters& counters() const { return counters_; }
  std::size_t waiting() const { return first_.size() + waiting_.size(); }

 private:
  const Roster::Worker* pick(Entry& entry);
  std::optional<Order> give(Entry& entry, wire::Instant now);
  std::optional<Order> next_of(std::deque<Task>& line, Ledger& ledger, wire::Instant now);
  Order give_to(const Roster::Worker& worker, Entry& entry, wire::Instant now);

  const Policy policy_;
  SequenceSource& sequences_;
  Roster roster_;
  std::deque<Task> first_;  // The head of the line: what dispatch_first has put there.
  std::deque<Task> waiting_;
  std::deque<Task> hedges_;  // Hedges that wait; their tokens have been taken.
  double hedge_tokens_ = 0;  // Number of hedges that may be started.
  Counters counters_;
};

}  // namespace broker
