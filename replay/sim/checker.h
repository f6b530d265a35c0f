// Judges a run from outside: by what producers ask and get, by the messages on the links, and by
// the figures that broker and sink report.
//
// The checker itself decides nothing.  It hands each observation to the class that judges it:
// RequestOracle (requests and results), LinkChecker (batches and slots), GaugeChecker (status),
// OverloadChecker (the broker's line), ExpiryChecker (stages that begin too late), SinkChecker
// (answers that a sink takes with it, or keeps to itself).
// None of them looks into a machine.
#pragma once

#include <string>
#include <vector>

#include "producer/client.h"
#include "replay/sim/event_log.h"
#include "replay/sim/expiry_checker.h"
#include "replay/sim/fleet.h"
#include "replay/sim/gauge_checker.h"
#include "replay/sim/link_checker.h"
#include "replay/sim/overload_checker.h"
#include "replay/sim/request_oracle.h"
#include "replay/sim/sink_checker.h"
#include "replay/sim/trial_options.h"
#include "replay/sim/violations.h"

namespace replay::sim {

class Checker : public Observer {
 public:
  using Asked = RequestOracle::Asked;
  using Counts = RequestOracle::Counts;

  // Borrows all.
  Checker(const TrialOptions& options, const World& world, const Fleet& fleet, EventLog& log);

  // What producers do and get; see RequestOracle.
  void on_submit(NodeId producer, wire::RequestId request, const Asked& asked);
  bool on_cancel(NodeId producer, wire::RequestId request, std::uint64_t token);
  void on_results(NodeId producer, const std::vector<producer::Delivered>& results,
                  wire::Instant now);
  void on_corrections(NodeId producer, const std::vector<producer::Correction>& corrections,
                      wire::Instant now);

  void on_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now) override;
  void on_delivered(NodeId from, NodeId to, const wire::Message& message,
                    wire::Instant now) override;
  void on_life(NodeId node, bool alive, wire::Instant now) override;
  void on_traced(NodeId node, const std::vector<machine::TraceEvent>& events,
                 wire::Instant now) override;
  void on_work(NodeId node, const machine::Work& work, wire::Instant now) override;

  // From here on nothing goes wrong any more.
  void on_calm() { gauges_.on_calm(); }
  // The end of the run: nothing may be open.
  void finish(wire::Instant now);
  // Adds a violation that the trial itself has found.
  void violation(const std::string& what, wire::Instant now) { violations_.add(what, now); }

  const Counts& counts() const { return requests_.counts(); }
  const std::vector<std::string>& violations() const { return violations_.texts(); }

 private:
  void check_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now);
  std::uint32_t capacity(NodeId stage) const;
  bool is_sink(NodeId node) const;

  const TrialOptions& options_;
  const World& world_;
  const Fleet& fleet_;
  EventLog& log_;
  Violations violations_;
  RequestOracle requests_;
  LinkChecker links_;
  GaugeChecker gauges_;
  OverloadChecker overload_;
  ExpiryChecker expiry_;
  SinkChecker sinks_;
};

}  // namespace replay::sim
