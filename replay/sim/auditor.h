// An observer of the pipeline as anybody may run one: asks broker and sink for their status.
//
// A machine on two DEALER links.  It keeps nothing: the answers are read by who watches its links.
#pragma once

#include <optional>

#include "wire/machine.h"

namespace replay::sim {

class Auditor : public wire::Machine {
 public:
  static constexpr std::uint32_t kBroker = 0;
  static constexpr std::uint32_t kSink = 1;

  explicit Auditor(wire::Duration every) : every_(every) {}

  wire::Actions on_message(wire::Peer, wire::Message, wire::Instant) override { return {}; }
  wire::Actions on_timeout(wire::Instant now) override {
    wire::Actions actions;
    if (now < due_) return actions;
    due_ = now + every_;
    actions.send({kBroker, 0}, wire::Probe{});
    actions.send({kSink, 0}, wire::Probe{});
    return actions;
  }
  wire::Actions on_done(wire::WorkId, wire::Outcome, wire::Instant) override { return {}; }
  std::optional<wire::Instant> next_timeout() const override { return due_; }

 private:
  const wire::Duration every_;
  wire::Instant due_;
};

}  // namespace replay::sim
