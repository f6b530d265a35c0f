// The answers that a stage has sent lately, to be sent again when their sink is lost.
//
// A sink that stops takes with it what it has received and not passed on.  The broker then has
// another sink join the batches (wire::Redirect), and the stages send their answers to that one,
// which costs no inference.  An answer is kept until the deadline of its images; beyond kept_max
// the oldest gives way.  A sink that gets an answer twice drops the second.
//
// SentAnswers is pure.
#pragma once

#include <cstddef>
#include <deque>

#include "machine/machine.h"

namespace stages {

class SentAnswers {
 public:
  static constexpr std::size_t kKeptMax = 1024;

  // `first_sink` is the link to sink 0; those to the others follow it.
  explicit SentAnswers(std::uint32_t first_sink, std::size_t kept_max = kKeptMax)
      : first_sink_(first_sink), kept_max_(kept_max) {}

  // Sends an answer to the sink of its batch, and keeps it until `deadline`.
  void send(wire::SinkIndex sink, wire::BatchId batch, wire::Message answer, wire::Instant deadline,
            wire::Instant now, machine::Actions& actions);
  // Does what a Redirect asks for.  Returns the number of answers that are sent again.
  std::size_t redirect(const wire::Redirect& redirect, wire::Instant now,
                       machine::Actions& actions);
  void clear() { kept_.clear(); }

  std::size_t kept() const { return kept_.size(); }
  machine::Peer peer(wire::SinkIndex sink) const { return {first_sink_ + sink, 0}; }

 private:
  struct Kept {
    wire::SinkIndex sink;
    wire::BatchId batch;
    wire::Instant deadline;
    wire::Message answer;
  };
  void forget_old(wire::Instant now);

  const std::uint32_t first_sink_;
  const std::size_t kept_max_;
  std::deque<Kept> kept_;  // In the order of sending, about that of their deadlines.
};

}  // namespace stages
