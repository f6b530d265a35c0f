// What people must know of the broker's workers: who they are, their states, since when and why.
//
//     on_joined --> ready <-> idle, suspect, probation, leaving --> on_lost --> lost --> forgotten
//
// The roster knows the present and no more.  The book adds where a worker runs, when its state
// began, and for a while who was lost and by what that was seen.  A worker that asked to leave
// before its connection ended is not lost; one that comes back at the same place (role, host and
// index) is found again.  The book decides nothing.
//
// Pure.  It is bounded by the rosters' worker_max and by lost_max; the loss that is longest ago
// gives way.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "broker/roster.h"
#include "wire/message.h"
#include "wire/types.h"

namespace broker {

class WorkerBook {
 public:
  struct Policy {
    std::size_t lost_max = 64;                             // Lost workers remembered.
    wire::Duration lost_kept = std::chrono::minutes(15);   // How long they are remembered.
    wire::Duration idle_after = std::chrono::seconds(10);  // Without a task for so long: idle.
  };

  explicit WorkerBook(Policy policy) : policy_(policy) {}

  // Call it after the losses to which the join led.
  void on_joined(const wire::WorkerHello& hello, wire::Instant now);
  // A worker that has not joined changes nothing.
  // `leaving`: it had asked for no further tasks, so that its end is no loss.
  void on_lost(wire::WorkerId id, wire::LossCause cause, bool leaving, wire::Instant now);
  // Notes the states of the workers that are there, and forgets old losses.
  void update(const Roster& classifiers, const Roster& assemblers, wire::Instant now);

  // All workers as they were at the last update, by role, host, index and id.
  std::vector<wire::WorkerReport> reports(wire::Instant now) const;
  // The same, in messages of at most kWorkersMax workers; at least one message.
  std::vector<wire::WorkerStates> messages(wire::Instant now) const;
  // For logs: "0a1b2c3d (index 3 on a2, pid 4321, collage-classifier@3)", or the id alone.
  std::string described(wire::WorkerId id) const;

 private:
  struct Entry {
    wire::WorkerReport report;  // Its durations `since` and `heard` are filled in by reports().
    wire::Instant joined, since, heard;
  };

  void update(const Roster& roster, wire::Instant now);
  // Whether a worker that serves has joined at the same place since this one was last heard.
  bool succeeded(const Entry& gone) const;
  void forget_lost(wire::Instant now);

  const Policy policy_;
  std::map<wire::WorkerId, Entry> entries_;
};

// Where a process runs, for logs: "index 3 on a2, pid 4321, collage-classifier@3"; empty if its
// host is not known.
std::string place_text(const wire::Location& location);

}  // namespace broker
