// Which workers of one role have joined, and how many tasks each may still be given.
//
// A worker grants credit by its capacity and by the tasks it reports to hold (wire::Ready):
//
//     free = capacity - held by the worker - sent, but not yet seen by it
//
// so a task lost on the way, or a worker that restarts, never leaks credit.  An idle worker counts
// as lost when it is silent for silence_max.  A busy worker may be blocked in its work, and counts
// as lost when its oldest task is older than task_age_max.
//
// What a worker is given depends on its state:
//
//              oldest task older than suspect_age
//        +------+ ---------------------------> +---------+
//        | well |                              | suspect |   is picked after those that are well
//        +------+ <--------------------------- +---------+
//          |  ^     it is done, or young again   |  ^
//     slow |  | quick                       slow |  | quick
//          v  |                                  v  |
//        +-------------------------------------------+
//        |                 probation                 |       is given probes only
//        +-------------------------------------------+
//     from any state, while its Ready says so:  leaving      is given nothing
//
// The three facts behind the state (leaving, slow, overdue) come and go on their own; the state is
// that of the first that holds.  A worker is slow by its last five tasks (health.h).
//
// pick() chooses a worker that is well before a suspect, then the least loaded, then the least
// recently used; no two workers were used last at the same time, so the choice is unique.
//
// A worker on probation is due for a probe `probe_every` after it was put there: a copy of a task
// that another worker has too.  While its probes are slow the wait doubles.  While all others are
// leaving, or there are no others, none is on probation.
//
// Roster is pure.  Cost of every call but sweep(): logarithmic in the number of workers, and linear
// in the number of those on probation.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "broker/health.h"
#include "broker/service_time.h"
#include "broker/task.h"
#include "machine/machine.h"
#include "wire/message.h"
#include "wire/types.h"

namespace broker {

class Roster {
 public:
  enum class State : std::uint8_t { well, suspect, probation, leaving };
  static constexpr std::array<State, 4> kStates = {State::well, State::suspect, State::probation,
                                                   State::leaving};

  struct Policy {
    std::size_t worker_max = 0;
    wire::Duration silence_max{};   // An idle worker that is silent for longer is lost.
    wire::Duration task_age_max{};  // A worker that holds a task for longer is lost.
    wire::Duration probe_every{};   // First wait of a worker on probation for a probe.
  };
  struct Worker {
    wire::WorkerId id;
    machine::Peer peer;
    std::uint32_t capacity = 0;
    bool leaving = false;  // Its latest Ready asked for no further tasks.
    bool slow = false;     // Its last tasks were slow, compared with the others'.
    bool overdue = false;  // Its oldest task was older than suspect_age at the last sweep.
    Health health;
    wire::Instant probe_at;       // If it is slow: no probe before this instant.
    wire::Duration probe_wait{};  // If it is slow: the wait after the next probe.
    std::uint64_t used = 0;       // Orders workers by their last task.
    wire::Instant heard;          // When its last message arrived.
    wire::Instant done;           // When its last task was done.
    std::size_t held = 0;         // Tasks it reports to hold that this roster did not give it.
    struct Sent {
      std::uint64_t sequence;
      Task task;
      wire::Instant at;
      std::optional<wire::Instant> begun;  // When the worker could begin with it.
    };
    std::vector<Sent> sent;  // Tasks given and not known to be done, by rising sequence.

    State state() const {
      return leaving   ? State::leaving
             : slow    ? State::probation
             : overdue ? State::suspect
                       : State::well;
    }
    std::size_t outstanding() const { return sent.size() + held; }
  };
  // A worker that is lost, and the tasks that it had.
  struct Loss {
    wire::WorkerId worker;
    std::vector<Task> tasks;
    wire::LossCause cause = wire::LossCause::connection;
    bool leaving = false;  // It had asked for no further tasks.
  };

  explicit Roster(Policy policy) : policy_(policy) {}

  // Takes a worker in, or renews the connection of a known one; the losses are of connections that
  // it replaces.  At worker_max an unknown worker is refused: `full`.
  struct Joined {
    bool full = false;
    bool renewed = false;
    std::vector<Loss> losses;
  };
  Joined join(const wire::WorkerHello& hello, machine::Peer peer, wire::Instant now);

  // Notes which tasks a worker holds; false if the peer is not of this roster.
  bool ready(machine::Peer peer, const wire::Ready& ready, wire::Instant now);

  // The best worker with credit that is none of `tried` and not on probation, or nullptr.
  const Worker* pick(std::span<const wire::WorkerId> tried) const;
  // The same, out of `among` alone.  Requires that all of `among` are in the roster.
  const Worker* pick_of(std::span<const wire::WorkerId> among,
                        std::span<const wire::WorkerId> tried) const;
  // Adds workers to `drawn`, in turn, until it has `count` of them or all.
  void draw(std::size_t count, std::vector<wire::WorkerId>& drawn);
  // A worker on probation that is idle, due for a probe and none of `tried`, or nullptr.
  const Worker* due_for_probe(std::span<const wire::WorkerId> tried, wire::Instant now) const;

  // Gives `task` to a worker.  Requires that `id` has credit.
  void assign(wire::WorkerId id, wire::Sequence sequence, Task task, wire::Instant now);

  // Notes that the worker has all it needs for a task.  Service times count from here.
  void begin(wire::WorkerId id, wire::Sequence sequence, wire::Instant now);
  // Notes that a task is not needed any more.  Unless the worker does it already, the time until
  // the worker holds it no more is no service time, and shortens that of no other task.
  void withdraw(wire::WorkerId id, wire::Sequence sequence);

  // Where to withdraw a task that the worker holds and does not work on yet; nullopt if there is no
  // such task.
  struct Queued {
    machine::Peer peer;
    wire::Sequence sequence;
  };
  std::optional<Queued> queued(wire::WorkerId id, Task task) const;

  // Whether the worker has been given this task and is not known to be done with it.
  bool has(wire::WorkerId id, Task task) const;

  // Takes out the worker whose connection is gone; nullopt if the peer is not of this roster.
  std::optional<Loss> lost(machine::Peer peer);

  // Takes out the workers that are lost, finds the suspects (workers with a task older than
  // `suspect_age`), and puts workers on probation and off it.
  std::vector<Loss> sweep(wire::Instant now, wire::Duration suspect_age);

  // The connection of a worker; nullopt if it is not in the roster.
  std::optional<machine::Peer> peer_of(wire::WorkerId id) const;
  // The connections of all workers.
  std::vector<machine::Peer> peers() const;
  // The connections of the workers with tasks.
  std::vector<machine::Peer> busy() const;
  const std::map<wire::WorkerId, Worker>& workers() const { return workers_; }
  // The usual median of service times at the last sweep; nullopt unless two workers have one.
  std::optional<wire::Duration> usual() const { return usual_; }
  std::size_t size() const { return workers_.size(); }
  // Number of workers with an overdue task, whatever their state.
  std::size_t suspects() const;
  struct Standing {
    std::array<std::size_t, kStates.size()> workers{};  // Number of workers by State.
    std::size_t credit = 0;                             // Tasks that could be given now.
  };
  Standing standing() const;
  std::size_t on_probation() const { return probation_.size(); }
  // Number of tasks given and not known to be done.
  std::size_t outstanding() const;
  // The same of one worker; 0 if it is not in the roster.
  std::size_t outstanding(wire::WorkerId id) const;
  // How long a worker works on a task, over all workers.
  const ServiceTime& service() const { return service_; }
  // Tasks a second that the workers off probation do together when none of them idles; nullopt
  // until their service time has been learned.
  std::optional<double> per_second() const;

 private:
  using Rank = std::tuple<bool, std::size_t, std::uint64_t, wire::WorkerId>;
  static bool has_credit(const Worker& worker);
  static bool available(const Worker& worker) { return has_credit(worker) && !worker.slow; }
  static Rank rank(const Worker& worker);
  static bool working(const Worker& worker) { return !worker.leaving && !worker.slow; }
  // Changes a worker while keeping available_ and working_ true.
  template <class Change>
  void change(Worker& worker, Change apply);
  // Before and after a change: take the worker out of available_ and working_, and put it in again.
  void take_out(const Worker& worker);
  void put_in(const Worker& worker);
  Loss remove(wire::WorkerId id);
  // Finds out which workers are slow.
  void judge(wire::Instant now);
  void set_slow(Worker& worker, bool slow, wire::Instant now);
  void lift_probation_if_none_works();

  const Policy policy_;
  std::uint64_t uses_ = 0;
  wire::WorkerId turn_;  // The worker that was drawn last.
  std::map<wire::WorkerId, Worker> workers_;
  std::map<machine::Peer, wire::WorkerId> peers_;
  std::set<Rank> available_;  // Workers with credit and off probation, best first.
  std::size_t working_ = 0;   // Number of workers that are neither leaving nor on probation.
  ServiceTime service_;
  std::optional<wire::Duration> usual_;
  std::set<wire::WorkerId> probation_;
};

// "well", "suspect", "probation" or "leaving".
std::string_view to_string(Roster::State state);

}  // namespace broker
