// The skeleton of a stage that works on tasks one by one, or on some that wait together: all but
// its task and its answer.
//
//   link kCoordinator (0, DEALER)  to the coordinator    WorkerHello, Ready
//                                  from the coordinator  Welcome, Refuse, Redirect, tasks
//   links kSinkLink + i (DEALER)   to sink i             answers
//
//     task -> Membership::take -> TaskLine -> job() as Work -> on_done -> answer(), Ready
//
// A derived stage supplies job(), answer() and the figures of its own counters.  `Task` is a
// message with a sequence, an age, the time that remains, its batch's sink and coordinator_epoch();
// `Counters` derives from TaskCounters.
//
// A pure state machine (machine/machine.h).  The tasks held are bounded by twice hello.capacity.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "machine/earliest.h"
#include "machine/figures.h"
#include "machine/machine.h"
#include "stages/membership.h"
#include "stages/sent_answers.h"
#include "stages/task_line.h"
#include "wire/check.h"

namespace stages {

inline constexpr std::uint32_t kSinkLink = 1;

// Within which epoch of its coordinator a task's sequence counts.
inline wire::Epoch coordinator_epoch(const wire::Assign& task) { return task.batch.epoch; }
inline wire::Epoch coordinator_epoch(const wire::CollageTask& task) { return task.epoch; }

struct TaskCounters {
  std::uint64_t repeated = 0;     // Tasks dropped: came twice, or from a coordinator not joined.
  std::uint64_t expired = 0;      // Tasks dropped: their time was over before they were begun.
  std::uint64_t over_credit = 0;  // Tasks dropped: beyond twice the credit granted.
  std::uint64_t undelivered = 0;  // Messages to the coordinator or a sink that could not be sent.
  std::uint64_t sent_again = 0;   // Answers sent to another sink after their first was lost.
  std::uint64_t bad_messages = 0;
};

template <class Task, class Counters>
class TaskStage : public machine::Machine {
 public:
  // Requires sinks > 0, the number of sinks that the stage is connected to.
  TaskStage(wire::WorkerHello hello, Membership::Policy membership,
            std::optional<Emulation> emulation, std::size_t sinks = 1)
      : sinks_(sinks), membership_(std::move(hello), membership), line_(std::move(emulation)) {}

  machine::Actions on_message(machine::Peer from, wire::Message message, wire::Instant now) final {
    const bool from_coordinator = from.link == kCoordinator.link;
    const wire::Epoch before = membership_.epoch();
    if (auto* task = std::get_if<Task>(&message); task && from_coordinator) {
      take(std::move(*task), now);
    } else if (const auto* redirect = std::get_if<wire::Redirect>(&message);
               redirect && from_coordinator) {
      on_redirect(*redirect, now);
    } else if (std::holds_alternative<wire::Undelivered>(message)) {
      counters_.undelivered += 1;
      // Only an answer is lost with the sink's connection; the standing with the coordinator is as
      // before.
      if (from_coordinator) membership_.on_message(message, now, actions_);
    } else if (!membership_.on_message(message, now, actions_) &&
               !(from_coordinator && on_other(message))) {
      counters_.bad_messages += 1;
    }
    if (membership_.epoch() != before) {
      answers_.clear();
      on_new_coordinator();
    }
    return advance(now);
  }

  machine::Actions on_timeout(wire::Instant now) final {
    membership_.on_timeout(now, actions_);
    return advance(now);
  }

  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) final {
    COLLAGE_CHECK(work == work_);
    line_.done(std::move(outcome), now);
    return advance(now);
  }

  std::optional<wire::Instant> next_timeout() const final {
    return machine::earliest({line_.next_timeout(), membership_.next_timeout()});
  }

  machine::Telemetry telemetry() const final {
    machine::Telemetry report;
    membership_.report(report);
    machine::add_metrics<Counters>(figures(), counters_, report);
    times_.add_to(report);
    machine::add_metrics<Counters>(kDropped, counters_, report);
    return report;
  }

  // Names the model's version in hellos and reports from now on, and in reports also the form in
  // which its network is served ("fused").  An answer's version is that of its Outcome.
  void set_model(std::string version, std::string form) {
    membership_.set_version(std::move(version));
    membership_.set_form(std::move(form));
  }

  // Lets one piece of work take up to so many tasks that wait; one unless it is called.  Requires
  // count > 0, and a job() that takes several.
  void set_together(std::size_t count) { together_ = count; }

  const Counters& counters() const { return counters_; }

 protected:
  using Finished = typename TaskLine<Task>::Finished;

  // The work that tasks ask for, one at least; may move pictures out of them.
  virtual decltype(machine::Work::job) job(std::span<Task* const> tasks) = 0;
  // The answer of a task, and whether its inference gave something usable.
  struct Given {
    std::optional<wire::Message> answer;  // nullopt: there is none.
    bool usable = false;
  };
  // Makes the answer and counts it.  `age` is the task's since admission (of a collage: since its
  // batch opened).
  virtual Given answer(Finished& finished, wire::Duration age) = 0;
  // Handles a message of the coordinator that is neither a task nor about the membership; false if
  // the stage knows no such message.
  virtual bool on_other(const wire::Message&) { return false; }
  // Called when the stage has joined an epoch of its coordinator for the first time.
  virtual void on_new_coordinator() {}
  // The figures that TaskStage does not know.
  virtual std::span<const machine::Figure<Counters>> figures() const = 0;

  wire::WorkerId id() const { return membership_.hello().worker; }

  const std::size_t sinks_;
  Membership membership_;
  TaskLine<Task> line_;
  SentAnswers answers_{kSinkLink};
  Counters counters_;
  machine::Actions actions_;  // What the turn under way has asked for so far.

 private:
  static constexpr machine::Figure<Counters> kDropped[] = {
      machine::dropped<Counters>([](const Counters& c) { return c.repeated; }, "", "repeated"),
      machine::dropped<Counters>([](const Counters& c) { return c.expired; }, "", "expired"),
      machine::dropped<Counters>([](const Counters& c) { return c.over_credit; }, "",
                                 "over_credit"),
      machine::dropped<Counters>([](const Counters& c) { return c.undelivered; }, "",
                                 "undelivered"),
      machine::dropped<Counters>([](const Counters& c) { return c.bad_messages; }, "",
                                 "bad_message"),
      machine::counter<Counters>([](const Counters& c) { return c.sent_again; }, "",
                                 "collage_answers_sent_again_total",
                                 "Answers sent to another sink after their first was lost."),
  };

  void take(Task task, wire::Instant now) {
    // Twice the capacity, for a coordinator that has just restarted does not know yet which tasks
    // the stage still holds from the coordinator's life before.
    if (membership_.held() >= 2 * std::size_t{membership_.hello().capacity}) {
      counters_.over_credit += 1;
    } else if (task.sink >= sinks_) {
      counters_.bad_messages += 1;  // Its pipeline.yaml names fewer sinks than the broker's.
    } else if (!membership_.take(task.sequence, coordinator_epoch(task))) {
      counters_.repeated += 1;
    } else {
      line_.push(std::move(task), now);
    }
  }

  void on_redirect(const wire::Redirect& redirect, wire::Instant now) {
    if (redirect.to >= sinks_) {
      counters_.bad_messages += 1;
      return;
    }
    line_.for_each([&redirect](Task& task) {
      if (task.sink == redirect.from) task.sink = redirect.to;
    });
    counters_.sent_again += answers_.redirect(redirect, now, actions_);
  }

  // Drops tasks whose deadlines are over: an answer would come too late for everyone.
  void drop_expired(wire::Instant now) {
    line_.drop(
        [now](const Task& task, wire::Instant arrived) { return now - arrived >= task.remaining; },
        [this](const Task& task) {
          counters_.expired += 1;
          membership_.release(task.sequence, coordinator_epoch(task), actions_);
        });
  }

  // Answers what is finished, begins the next task, and ends the turn.
  machine::Actions advance(wire::Instant now) {
    bool released = false;
    while (auto finished = line_.release(now)) {
      const wire::Duration elapsed = now - finished->arrived;
      times_.task.observe(elapsed);
      const wire::Duration compute = finished->outcome.compute;
      Given given = answer(*finished, std::min(finished->task.age + elapsed, wire::kDurationMax));
      if (given.usable) times_.inference.observe(compute);
      if (given.answer) {
        answers_.send(finished->task.sink, finished->task.batch, std::move(*given.answer),
                      finished->arrived + finished->task.remaining, now, actions_);
      }
      membership_.release(finished->task.sequence, coordinator_epoch(finished->task));
      released = true;
    }
    // After the answers: a coordinator that gets the credit first could count a task as done
    // unanswered.
    if (released) membership_.send_ready(actions_);
    drop_expired(now);
    if (const std::vector<Task*> tasks = line_.start(now, together_); !tasks.empty()) {
      work_.value += 1;
      actions_.work = machine::Work{work_, job(tasks)};
    }
    if (membership_.leaving() && line_.idle()) actions_.finished = true;
    return std::exchange(actions_, {});
  }

  wire::WorkId work_;
  std::size_t together_ = 1;
  TaskTimes times_;
};

}  // namespace stages
