// The collage-CNN stage: one picture of N tiles in, N answers out.
//
//   link kAssembler (DEALER)   WorkerHello, Ready  ->  assembler;  Welcome, Refuse, CollageTask <-
//   link kSink      (DEALER)   CollageAnswer       ->  sink
//
// It belongs to one assembler: over inproc:// in the same process, or over tcp:// in another.
// The inference is Work (machine::ClassifyCollage).  A pure state machine; see wire/machine.h.
#pragma once

#include <cstdint>
#include <optional>

#include "machine/machine.h"
#include "stages/membership.h"
#include "stages/task_line.h"

namespace stages::collage {

class CollageWorker : public machine::Machine {
 public:
  static constexpr std::uint32_t kAssembler = 0;
  static constexpr std::uint32_t kSink = 1;

  // hello.role is collage.
  CollageWorker(wire::WorkerHello hello, Membership::Policy membership,
                std::optional<Emulation> emulation);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;
  machine::Telemetry telemetry() const override;
  // The model's, in hellos and reports from now on; what answers stands in each outcome.
  void set_version(std::string version) { membership_.set_version(std::move(version)); }

  struct Counters {
    std::uint64_t answered = 0;
    std::uint64_t failed = 0;       // The inference gave nothing usable.
    std::uint64_t dropped = 0;      // Not begun: the batch was answered already.
    std::uint64_t repeated = 0;     // Dropped: came twice, or from an assembler not joined.
    std::uint64_t over_credit = 0;  // Dropped: more than twice what was granted.
    std::uint64_t undelivered = 0;
    std::uint64_t bad_messages = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  void drop(wire::BatchId batch, machine::Actions& actions);
  void advance(wire::Instant now, machine::Actions& actions);

  Membership membership_;
  TaskLine<wire::CollageTask> line_;
  wire::WorkId work_;
  Counters counters_;
  TaskTimes times_;
};

}  // namespace stages::collage
