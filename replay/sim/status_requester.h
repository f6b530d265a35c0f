// Asks broker and sink for their status at a fixed interval, as any operator's tool may do.
//
// A machine on two DEALER links.  It ignores the answers: the checkers read them on the links.
#pragma once

#include <optional>

#include "machine/machine.h"

namespace replay::sim {

class StatusRequester : public machine::Machine {
 public:
  static constexpr std::uint32_t kBroker = 0;
  static constexpr std::uint32_t kSink = 1;

  explicit StatusRequester(wire::Duration every) : every_(every) {}

  machine::Actions on_message(machine::Peer, wire::Message, wire::Instant) override { return {}; }
  machine::Actions on_timeout(wire::Instant now) override {
    machine::Actions actions;
    if (now < due_) return actions;
    due_ = now + every_;
    actions.send({kBroker, 0}, wire::StatusRequest{});
    actions.send({kSink, 0}, wire::StatusRequest{});
    return actions;
  }
  machine::Actions on_done(wire::WorkId, machine::Outcome, wire::Instant) override { return {}; }
  std::optional<wire::Instant> next_timeout() const override { return due_; }

 private:
  const wire::Duration every_;
  wire::Instant due_;
};

}  // namespace replay::sim
