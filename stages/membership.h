// A stage's standing with its coordinator, the process that it joins and takes tasks from: joining,
// credit, heartbeats.
//
//     hello, hello (backing off) ... Welcome -> joined: Ready at every heartbeat and change
//        ^                                        |
//        +------- Refuse, or another epoch <------+
//
// The coordinator of a classifier, an assembler and a sink (which takes no tasks) is the broker;
// the coordinator of a collage-CNN is its assembler.  Every stage reaches its coordinator over its
// link 0.
//
// The credit of a stage is its capacity less the tasks it holds (wire::Ready).  Sequences rise
// within one epoch of the coordinator, which tells a task that arrives twice from a new one.
//
// Membership is pure: no sockets, no clock.  Messages to the coordinator go to the Actions it is
// handed.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "wire/message.h"

namespace stages {

inline constexpr machine::Peer kCoordinator{.link = 0, .id = 0};

class Membership {
 public:
  struct Policy {
    wire::Duration backoff_min{};  // Between the first hello and the second; then it doubles.
    wire::Duration backoff_max{};  // The longest wait between two hellos.
  };

  Membership(wire::WorkerHello hello, Policy policy)
      : hello_(std::move(hello)), policy_(policy), backoff_(policy.backoff_min) {}

  // Handles Welcome, Refuse and Undelivered from the coordinator, and Drain from the driver;
  // returns false for any other message.  A Drain asks the coordinator for no further tasks; a
  // sink, which holds no tasks, is finished at once.
  bool on_message(const wire::Message& message, wire::Instant now, machine::Actions& actions);

  // Sends the hello or the Ready that is due at `now`, if any.
  void on_timeout(wire::Instant now, machine::Actions& actions);
  std::optional<wire::Instant> next_timeout() const { return due_; }

  // Takes a task in; false if it came before, or from a coordinator that the stage has not joined.
  bool take(wire::Sequence sequence, wire::Epoch epoch);
  // Gives back the credit of a task that is done or dropped, with a Ready.
  void release(wire::Sequence sequence, wire::Epoch epoch, machine::Actions& actions);
  // The same without a Ready: of tasks that were done together, one send_ready() tells of all.
  void release(wire::Sequence sequence, wire::Epoch epoch);
  void send_ready(machine::Actions& actions) const;
  // Informs the coordinator, with a Ready, whether the stage takes further tasks.
  void set_leaving(bool leaving, machine::Actions& actions);

  // Adds standing, tasks held and the model served to a report; not ready while not joined.
  void report(machine::Telemetry& report) const;

  bool joined() const { return joined_; }
  bool leaving() const { return leaving_; }
  // The coordinator's epoch, of its latest Welcome.  When it changes, all former tasks are void.
  wire::Epoch epoch() const { return epoch_; }
  const wire::WorkerHello& hello() const { return hello_; }
  // Another version of the same model is served from now on.
  void set_version(std::string version) { hello_.model.version = std::move(version); }
  // How the network of that model is served; nothing says so of a stage that has none.
  void set_form(std::string form) { form_ = std::move(form); }
  std::size_t held() const { return held_.size(); }

 private:
  void on_welcome(const wire::Welcome& welcome, wire::Instant now);
  void on_refuse(const wire::Refuse& refuse, wire::Instant now, machine::Actions& actions);
  void on_undelivered(wire::Instant now);
  std::string coordinator() const;

  wire::WorkerHello hello_;
  std::string form_;
  const Policy policy_;
  bool joined_ = false;
  bool leaving_ = false;
  wire::Epoch epoch_;
  wire::Duration heartbeat_{};
  wire::Duration backoff_;
  wire::Instant due_;  // When the next hello or Ready is due.
  wire::Sequence seen_;
  std::vector<wire::Sequence> held_;  // Rising; 0 stands for a task of an earlier epoch.
};

}  // namespace stages
