// Asks broker and sink for their status at a fixed interval, as any operator's tool may do.
//
// A machine on a DEALER link to the broker and one to each sink.  It ignores the answers: the
// checkers read them on the links.
#pragma once

#include <cstddef>
#include <optional>

#include "machine/machine.h"

namespace replay::sim {

class StatusRequester : public machine::Machine {
 public:
  static constexpr std::uint32_t kBroker = 0;
  static constexpr std::uint32_t kSink = 1;

  StatusRequester(wire::Duration every, std::size_t sinks) : every_(every), sinks_(sinks) {}

  machine::Actions on_message(machine::Peer, wire::Message, wire::Instant) override { return {}; }
  machine::Actions on_timeout(wire::Instant now) override {
    machine::Actions actions;
    if (now < due_) return actions;
    due_ = now + every_;
    actions.send({kBroker, 0}, wire::StatusRequest{});
    for (std::uint32_t sink = 0; sink < sinks_; ++sink) {
      actions.send({kSink + sink, 0}, wire::StatusRequest{});
    }
    return actions;
  }
  machine::Actions on_done(wire::WorkId, machine::Outcome, wire::Instant) override { return {}; }
  std::optional<wire::Instant> next_timeout() const override { return due_; }

 private:
  const wire::Duration every_;
  const std::size_t sinks_;
  wire::Instant due_;
};

}  // namespace replay::sim
