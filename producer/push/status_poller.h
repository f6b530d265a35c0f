// Asks a broker or a sink for its counters, once.
//
// A pure machine on link 0.  It repeats a StatusRequest every `repeat` until a Status arrives, and
// then finishes; it finishes without a Status after `reach_max`.
#pragma once

#include <optional>

#include "machine/machine.h"

namespace producer {

class StatusPoller : public machine::Machine {
 public:
  // Requires repeat > 0 and reach_max > 0.
  StatusPoller(wire::Duration repeat, wire::Duration reach_max)
      : repeat_(repeat), reach_max_(reach_max) {}

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  // The Status; nullopt if none has arrived.
  const std::optional<wire::Status>& status() const { return status_; }

 private:
  const wire::Duration repeat_;
  const wire::Duration reach_max_;
  wire::Instant ask_due_;
  std::optional<wire::Instant> give_up_;
  std::optional<wire::Status> status_;
};

}  // namespace producer
