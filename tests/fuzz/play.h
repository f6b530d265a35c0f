// Drives one machine from a fuzz target's input, as runtime/ and replay/sim do, and checks from
// outside what every machine must keep:
//
//   - it sends only messages that its receiver can decode;
//   - it asks for work only while none is under way;
//   - after its timeout is served, the next one is later: it never keeps its driver busy.
//
// Each turn of the input is one of: a message over a link, time that passes, the end of the work
// under way.  Time passes either timer by timer, or at once, as in a process that was suspended.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"

namespace fuzz {

class Play {
 public:
  // Called with every turn's actions, after they were checked.
  using Watch = std::function<void(const machine::Actions&)>;

  // All four must outlive the play.
  Play(machine::Machine& machine, Input& input, Drawer& drawer)
      : machine_(machine), input_(input), drawer_(drawer) {}
  void watch(Watch watch) { watch_ = std::move(watch); }

  // Delivers a message unless the machine is finished.
  void deliver(machine::Peer from, wire::Message message);
  // Runs every timer within `time`, each at its own time.
  void advance(wire::Duration time);
  // Lets `time` pass while nobody runs the machine's timers.
  void stall(wire::Duration time);
  // Ends the work under way, if any, with a drawn outcome.
  void finish_work();
  // Time that passes, the end of work, or bytes from `from` that may be a message.
  void step(machine::Peer from);
  // Takes the actions of a call that the target itself has made.
  void take(machine::Actions actions);

  wire::Instant now() const { return now_; }
  bool finished() const { return finished_; }
  bool working() const { return work_.has_value(); }

 private:
  void serve_timers();
  machine::Outcome outcome(const machine::Work& work);

  machine::Machine& machine_;
  Input& input_;
  Drawer& drawer_;
  Watch watch_;
  wire::Instant now_;
  std::optional<machine::Work> work_;
  bool finished_ = false;
  bool status_ = false;  // A Status has been checked.
};

}  // namespace fuzz
