// One piece of work at a time, and the service time of a slower machine.
//
//     push -> waiting -> start -> working -> done -> held -> release
//
// Work begins when that before has been released: on one task, or on several that wait.  With an
// emulation, which takes tasks one by one, an answer is held until a drawn latency has passed since
// its task began, or its own compute if that is longer, as in the experiment of Narra et al., 2019;
// the hold is a timer, never a sleep.
//
// TaskLine is pure.  Its owner bounds it by the credit it grants.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "stages/emulation.h"
#include "wire/check.h"

namespace stages {

// How long tasks of a stage have taken.
struct TaskTimes {
  machine::Histogram inference;  // Inferences alone, of tasks that gave something usable.
  machine::Histogram task;       // Tasks from arrival to answer.

  void add_to(machine::Telemetry& report) const {
    report.histogram("collage_inference_duration_seconds", "Inferences alone.", inference);
    report.histogram("collage_task_duration_seconds", "Tasks from arrival to answer.", task);
  }
};

template <class Task>
class TaskLine {
 public:
  struct Finished {
    Task task;
    wire::Instant arrived;
    machine::Outcome outcome;
  };

  explicit TaskLine(std::optional<Emulation> emulation) : emulation_(std::move(emulation)) {}

  void push(Task task, wire::Instant now) { waiting_.push_back({std::move(task), now}); }

  // The next tasks, `most` of them if as many wait, to be worked on together now; none while others
  // are under way.  The caller may move pictures out of them.  Requires most > 0.
  std::vector<Task*> start(wire::Instant now, std::size_t most = 1) {
    std::vector<Task*> tasks;
    if (!current_.empty()) return tasks;
    if (emulation_) most = 1;
    while (!waiting_.empty() && current_.size() < most) {
      current_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    for (Arrived& arrived : current_) tasks.push_back(&arrived.task);
    release_at_ = now;
    if (emulation_ && !tasks.empty()) release_at_ = now + emulation_->draw(now);
    return tasks;
  }

  // Notes the outcomes of the tasks under way, whose work is done.  Requires one for each.
  void done(machine::Outcome outcome, wire::Instant now) {
    COLLAGE_CHECK(outcome.more.size() + 1 == current_.size());
    std::vector<machine::Outcome> more = std::exchange(outcome.more, {});
    outcomes_.push_back(std::move(outcome));
    std::ranges::move(more, std::back_inserter(outcomes_));
    release_at_ = std::max(release_at_, now);
  }

  // The next task that is done, with its outcome, once its hold is over.
  std::optional<Finished> release(wire::Instant now) {
    if (outcomes_.empty() || now < release_at_) return std::nullopt;
    Arrived& next = current_.front();
    Finished finished{std::move(next.task), next.arrived, std::move(outcomes_.front())};
    current_.pop_front();
    outcomes_.pop_front();
    return finished;
  }

  // Takes out of the line, not out of work, the tasks that are `unwanted` (called with the task and
  // its arrival); calls `dropped` for each.
  template <class Unwanted, class Dropped>
  void drop(Unwanted unwanted, Dropped dropped) {
    std::erase_if(waiting_, [&](const Arrived& arrived) {
      if (!unwanted(arrived.task, arrived.arrived)) return false;
      dropped(arrived.task);
      return true;
    });
  }

  // Calls `change` with each task that is not finished.
  template <class Change>
  void for_each(Change change) {
    for (Arrived& arrived : waiting_) change(arrived.task);
    for (Arrived& arrived : current_) change(arrived.task);
  }

  std::optional<wire::Instant> next_timeout() const {
    if (outcomes_.empty()) return std::nullopt;
    return release_at_;
  }
  bool idle() const { return current_.empty() && waiting_.empty(); }

 private:
  struct Arrived {
    Task task;
    wire::Instant arrived;
  };
  std::optional<Emulation> emulation_;
  std::deque<Arrived> waiting_;
  std::deque<Arrived> current_;            // Under way, or held.
  std::deque<machine::Outcome> outcomes_;  // Theirs; empty until they are done.
  wire::Instant release_at_;
};

}  // namespace stages
