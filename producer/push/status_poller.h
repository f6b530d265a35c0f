// Asks a broker (or a sink) once for its counters.
//
// A pure machine on link 0: repeats its Probe until a Status comes, then finishes; finishes
// without one after `reach_max`.
#pragma once

#include <optional>

#include "machine/machine.h"

namespace producer {

class StatusPoller : public machine::Machine {
 public:
  // Requires both > 0.
  StatusPoller(wire::Duration repeat, wire::Duration reach_max)
      : repeat_(repeat), reach_max_(reach_max) {}

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  const std::optional<wire::Status>& status() const { return status_; }

 private:
  const wire::Duration repeat_;
  const wire::Duration reach_max_;
  wire::Instant probe_due_;
  std::optional<wire::Instant> give_up_;
  std::optional<wire::Status> status_;
};

}  // namespace producer
