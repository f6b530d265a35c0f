// A stage's standing with whoever gives it work: joining, credit and signs of life.
//
//     hello, hello (backing off) ... Welcome -> joined: Ready at every heartbeat and change
//        ^                                        |
//        +------- Refuse, or another epoch <------+
//
// The credit of a stage is what it does not hold (wire::Ready).  Sequences rise within one epoch
// of the host, so a task that comes twice is told from a new one.
//
// Membership is pure: no sockets, no clock; its owner sends what it returns to the host.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "wire/message.h"

namespace stages {

class Membership {
 public:
  struct Policy {
    wire::Duration backoff_min{};  // Between the first hello and the second; then it doubles.
    wire::Duration backoff_max{};
  };

  Membership(wire::WorkerHello hello, Policy policy)
      : hello_(std::move(hello)), policy_(policy), backoff_(policy.backoff_min) {}

  // True if this begins a new epoch: what the host knew of us before is void.
  bool on_welcome(const wire::Welcome& welcome, wire::Instant now);
  // The host does not serve us: say hello again, at once if it has merely forgotten us.
  void on_refuse(const wire::Refuse& refuse, wire::Instant now);
  // The connection does not take what we send; the next hello waits for its turn.
  void on_undelivered(wire::Instant now);

  // What to tell the host at `now`, if anything is due: a hello or a Ready.
  std::optional<wire::Message> on_timeout(wire::Instant now);
  std::optional<wire::Instant> next_timeout() const { return due_; }

  // Takes a task in; false if it came before, or from a host that we have not joined.
  bool take(wire::Sequence sequence, wire::Epoch epoch);
  // A task is done or dropped: the credit goes back with the Ready that is returned.
  wire::Ready release(wire::Sequence sequence, wire::Epoch epoch);
  // Tells the host whether to send us anything more.
  wire::Ready set_leaving(bool leaving);

  // Standing, tasks held and the model served; says what is missing while not joined.
  void report(machine::Telemetry& report) const;

  bool joined() const { return joined_; }
  bool leaving() const { return leaving_; }
  const wire::WorkerHello& hello() const { return hello_; }
  // Another version of the same model is served from now on.
  void set_version(std::string version) { hello_.model.version = std::move(version); }
  std::size_t held() const { return held_.size(); }

 private:
  wire::Ready ready() const { return {seen_, held_, leaving_}; }

  wire::WorkerHello hello_;
  const Policy policy_;
  bool joined_ = false;
  bool leaving_ = false;
  wire::Epoch epoch_;
  wire::Duration heartbeat_{};
  wire::Duration backoff_;
  wire::Instant due_;  // The next hello or Ready.
  wire::Sequence seen_;
  std::vector<wire::Sequence> held_;  // Rising; 0 stands for a task of an earlier epoch.
};

}  // namespace stages
