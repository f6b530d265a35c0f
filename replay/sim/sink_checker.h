// Checks what the broker promises of several sinks, by the messages on the links alone.
//
// What it expects follows from docs/ARCHITECTURE.md:
//   - a task names the sink at which its batch is open;
//   - while nothing but one sink is faulty, an image that an s-CNN has answered in time for the
//     broker to notice the fault (without another sink: for the fault to end) is not `missing`: an
//     answer is not lost with its sink.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "replay/sim/trial_options.h"
#include "replay/sim/violations.h"

namespace replay::sim {

class SinkChecker {
 public:
  // Borrows both.
  SinkChecker(const TrialOptions& options, Violations& violations)
      : options_(options), violations_(violations) {}

  // A message that has arrived at the broker, and any that is sent.
  void on_arrived(NodeId from, const wire::Message& message, wire::Instant now);
  void on_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now);

 private:
  using Token = std::uint64_t;
  using Key = std::pair<NodeId, wire::RequestId>;
  struct Asked {
    Token token = 0;
    wire::Instant deadline;
  };

  void on_hello(NodeId from, const wire::WorkerHello& hello);
  void on_assign(const wire::Assign& assign, wire::Instant now);
  void on_answer(const wire::Answer& answer, wire::Instant now);
  void on_result(NodeId producer, const wire::Result& result, wire::Instant now);
  // The longest time until an answer that a lost sink had is chosen by another.
  wire::Duration notice_max() const;

  const TrialOptions& options_;
  Violations& violations_;
  std::map<NodeId, wire::SinkIndex> indices_;        // Of sinks, by their hellos.
  std::map<wire::BatchId, wire::SinkIndex> opened_;  // Where each batch was opened last.
  std::map<Key, Asked> asked_;                       // Requests of a producer.
  std::map<std::pair<wire::BatchId, wire::Slot>, Token> slots_;
  std::map<Token, wire::Instant> answered_;  // By an s-CNN for the first time.
};

}  // namespace replay::sim
