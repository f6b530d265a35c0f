// A single-image CNN stage (s-CNN): one image in, one answer out.
//
//   link kBroker (DEALER)   WorkerHello, Ready  ->  broker;  Welcome, Refuse, Assign <- broker
//   link kSink   (DEALER)   Answer              ->  sink
//
// Stateless but for the tasks it holds: any number may run, join and leave at any time.  The
// inference itself is Work (machine::Classify).  A pure state machine; see wire/machine.h.
#pragma once

#include <cstdint>
#include <optional>

#include "machine/machine.h"
#include "stages/membership.h"
#include "stages/task_line.h"

namespace stages::classifier {

inline constexpr std::uint32_t kBroker = 0;
inline constexpr std::uint32_t kSink = 1;

class Classifier : public machine::Machine {
 public:
  // hello.role is classifier; hello.capacity bounds the tasks held, by granting no more credit.
  Classifier(wire::WorkerHello hello, Membership::Policy membership,
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
    std::uint64_t rejected = 0;
    std::uint64_t repeated = 0;     // Dropped: came twice, or from a broker not joined.
    std::uint64_t over_credit = 0;  // Dropped: more than twice what was granted.
    std::uint64_t undelivered = 0;  // Answers or words to the broker that could not be sent.
    std::uint64_t bad_messages = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  void take(wire::Assign assign, wire::Instant now);
  // Hands out what is finished and begins what is next.
  void advance(wire::Instant now, machine::Actions& actions);

  Membership membership_;
  TaskLine<wire::Assign> line_;
  wire::WorkId work_;
  Counters counters_;
  TaskTimes times_;
};

}  // namespace stages::classifier
