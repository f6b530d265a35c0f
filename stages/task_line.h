// One task at a time, and the service time of a slower machine.
//
//     push -> waiting -> start -> working -> done -> held -> release
//
// A task begins when the one before has been released.  With an emulation its answer is held
// until a drawn latency has passed since it began, or its own compute if that is longer, as in the
// experiment of Narra et al., 2019; the hold is a timer, never a sleep.
//
// TaskLine is pure.  Its owner bounds it by the credit it grants.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "machine/machine.h"
#include "stages/emulation.h"

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

  // The next task, to be worked on now; nullptr while another is under way or none waits.  The
  // caller may move pictures out of it.
  Task* start(wire::Instant now) {
    if (current_ || waiting_.empty()) return nullptr;
    current_ = std::move(waiting_.front());
    waiting_.pop_front();
    release_at_ = now;
    if (emulation_) release_at_ = now + emulation_->draw(now);
    return &current_->task;
  }

  // Notes the outcome of the current task, whose work is done.
  void done(machine::Outcome outcome, wire::Instant now) {
    outcome_ = std::move(outcome);
    release_at_ = std::max(release_at_, now);
  }

  // The current task with its outcome, once its hold is over.
  std::optional<Finished> release(wire::Instant now) {
    if (!outcome_ || now < release_at_) return std::nullopt;
    Finished finished{std::move(current_->task), current_->arrived, std::move(*outcome_)};
    current_.reset();
    outcome_.reset();
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
    if (current_) change(current_->task);
  }

  std::optional<wire::Instant> next_timeout() const {
    if (!outcome_) return std::nullopt;
    return release_at_;
  }
  bool idle() const { return !current_ && waiting_.empty(); }

 private:
  struct Arrived {
    Task task;
    wire::Instant arrived;
  };
  std::optional<Emulation> emulation_;
  std::deque<Arrived> waiting_;
  std::optional<Arrived> current_;
  std::optional<machine::Outcome> outcome_;  // Set while the current task is held.
  wire::Instant release_at_;
};

}  // namespace stages
