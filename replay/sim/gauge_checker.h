// Checks the figures that broker and sink report of themselves.
//
// What it expects follows from docs/ARCHITECTURE.md:
//   - gauges stay within their bounds;
//   - requests are conserved: no more are admitted than arrived, no more results are sent than
//     requests are settled, and every admitted request is settled or open;
//   - work is at most images x copies + hedges + redispatches + probes + rescues;
//   - at the end every gauge is back at zero, and no worker was given up after all had calmed down.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "replay/sim/trial_options.h"
#include "replay/sim/violations.h"

namespace replay::sim {

class GaugeChecker {
 public:
  // Borrows both.
  GaugeChecker(const TrialOptions& options, Violations& violations);

  // Messages to and from the present broker.
  void on_submit_arrived() { seen_.submits += 1; }
  void on_result_sent(const wire::Result& result);
  void on_task_sent() { seen_.tasks += 1; }

  void on_broker_status(const wire::Status& status, wire::Instant now);
  void on_sink_status(NodeId sink, const wire::Status& status, wire::Instant now);
  // Broker or a sink has started or crashed: its figures count from zero.
  void on_broker_life();
  void on_sink_life(NodeId sink) { sinks_.erase(sink); }

  // From here on nothing goes wrong any more.
  void on_calm() { calm_ = broker_; }
  // The end of the run: nothing may be open.
  void finish(wire::Instant now);

 private:
  using Gauges = std::map<std::string, std::uint64_t>;
  struct Seen {
    std::uint64_t submits = 0;  // Submits that arrived.
    std::uint64_t results = 0;  // Results that were sent, without refusals.
    std::uint64_t tasks = 0;    // Tasks that were sent to classifiers.
  };

  void check_bounds(const Gauges& gauges, wire::Instant now);
  void check_requests(const Gauges& gauges, wire::Instant now);
  void check_work(const Gauges& gauges, wire::Instant now);
  void at_most(const Gauges& gauges, const std::string& name, std::uint64_t most,
               wire::Instant now);

  const TrialOptions& options_;
  Violations& violations_;
  Seen seen_;
  std::optional<Gauges> broker_;    // The latest.
  std::map<NodeId, Gauges> sinks_;  // The latest of each.
  std::optional<Gauges> calm_;      // The broker's when the calm phase began.
};

}  // namespace replay::sim
