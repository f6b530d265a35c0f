// Which workers of one role are there, and how much each may still be given.
//
// A worker grants credit by its capacity and by what it says it holds (wire::Ready):
//
//     free = capacity - held by the worker - sent, but not yet seen by it
//
// so that a task lost on the way, or a worker that restarts, never leaks credit.  An idle worker
// lives as long as it speaks; a busy one may be deaf, and is judged by the age of its oldest
// task instead.  pick() prefers the unsuspected, then the least loaded, then the least recently
// used; ties cannot remain, for no two workers were used last at the same time.
//
// A worker that is slow again and again (health.h) is put on probation: pick() passes it over, and
// after `probe_every` it is due for a probe, a copy of a task that another has too, until it is as
// quick as the others; while its probes are slow it is probed ever more seldom.  There is always
// one worker off probation.
//
// Roster is pure.  Cost of every call but sweep(): logarithmic in the number of workers, and linear
// in those on probation.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "broker/health.h"
#include "machine/machine.h"
#include "wire/message.h"
#include "wire/types.h"

namespace broker {

// Names one slot of a batch of this broker's life, or (slot = kWholeBatch) all of it.
struct Task {
  std::uint64_t batch = 0;  // BatchId::sequence.
  wire::Slot slot = 0;
  friend auto operator<=>(const Task&, const Task&) = default;
};
inline constexpr wire::Slot kWholeBatch = 0xff;

class Roster {
 public:
  struct Policy {
    std::size_t worker_max = 0;
    wire::Duration silence_max{};   // An idle worker that says nothing for longer is gone.
    wire::Duration task_age_max{};  // A worker that holds a task for longer is dead.
    wire::Duration probe_every{};   // Of a worker on probation, at first.
  };
  struct Worker {
    wire::WorkerId id;
    machine::Peer peer;
    std::uint32_t capacity = 0;
    bool leaving = false;
    bool suspect = false;
    bool probation = false;
    Health health;
    wire::Instant probe_at;  // On probation: not before.
    wire::Duration probe_wait{};
    std::uint64_t used = 0;  // Orders workers by their last task.
    wire::Instant heard;     // When it last said anything.
    std::size_t held = 0;    // Tasks it says it holds that we do not know.
    struct Sent {
      std::uint64_t sequence;
      Task task;
      wire::Instant at;
    };
    std::vector<Sent> sent;  // By sequence: given and, as far as we know, not done.

    std::size_t outstanding() const { return sent.size() + held; }
  };
  // A worker that is no longer there, and the tasks it took along.
  struct Loss {
    wire::WorkerId worker;
    std::vector<Task> tasks;
  };

  explicit Roster(Policy policy) : policy_(policy) {}

  // Takes a worker in, or renews the connection of one that is known; tasks of a lost
  // connection are returned.  At worker_max a stranger is refused: `full`.
  struct Joined {
    bool full = false;
    bool renewed = false;
    std::vector<Loss> losses;
  };
  Joined join(const wire::WorkerHello& hello, machine::Peer peer, wire::Instant now);

  // Takes a worker's word on what it holds; false if the peer is not of this roster.
  bool ready(machine::Peer peer, const wire::Ready& ready, wire::Instant now);

  // The best worker with credit that is none of `tried`; none on probation.
  const Worker* pick(std::span<const wire::WorkerId> tried) const;
  // The best of `among` with credit that is none of `tried`; none on probation.
  const Worker* pick_of(std::span<const wire::WorkerId> among,
                        std::span<const wire::WorkerId> tried) const;
  // Adds workers to `drawn`, in turn, until it has `count` or all of them.
  void draw(std::size_t count, std::vector<wire::WorkerId>& drawn);
  // One on probation that is idle, due for a probe and none of `tried`.
  const Worker* due_for_probe(std::span<const wire::WorkerId> tried, wire::Instant now) const;

  // Gives `task` to a worker.  Requires that `id` has credit.
  void assign(wire::WorkerId id, wire::Sequence sequence, Task task, wire::Instant now);

  // Takes a worker out: its connection is gone.
  std::optional<Loss> lost(machine::Peer peer);

  // Takes out whoever is silent or dead, marks suspects (workers with a task older than
  // `suspect_age`), and puts workers on probation and off it.
  std::vector<Loss> sweep(wire::Instant now, wire::Duration suspect_age);

  // Where a worker is; nullopt if it is not here.
  std::optional<machine::Peer> peer_of(wire::WorkerId id) const;
  // Where the workers with tasks are.
  std::vector<machine::Peer> busy() const;
  std::size_t size() const { return workers_.size(); }
  std::size_t suspects() const;
  // How many are how, each counted once, and the tasks they could be given now.
  struct Standing {
    std::size_t well = 0, suspect = 0, probation = 0, leaving = 0;
    std::size_t credit = 0;
  };
  Standing standing() const;
  std::size_t on_probation() const { return probation_.size(); }
  // Tasks given and not known to be done.
  std::size_t outstanding() const;

 private:
  using Rank = std::tuple<bool, std::size_t, std::uint64_t, wire::WorkerId>;
  static bool has_credit(const Worker& worker);
  static bool available(const Worker& worker) { return has_credit(worker) && !worker.probation; }
  static Rank rank(const Worker& worker);
  // Changes a worker while keeping available_ true.
  template <class Change>
  void change(Worker& worker, Change apply);
  Loss remove(wire::WorkerId id);
  void judge(wire::Instant now);
  void set_probation(Worker& worker, bool on, wire::Instant now);

  const Policy policy_;
  std::uint64_t uses_ = 0;
  wire::WorkerId turn_;  // The last that was drawn.
  std::map<wire::WorkerId, Worker> workers_;
  std::map<machine::Peer, wire::WorkerId> peers_;
  std::set<Rank> available_;  // Workers with credit and off probation, best first.
  std::set<wire::WorkerId> probation_;
};

}  // namespace broker
