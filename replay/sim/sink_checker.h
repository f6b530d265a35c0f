// Checks what sinks do, and what the broker promises of several, by the messages on the links
// alone.
//
// What it expects follows from docs/ARCHITECTURE.md:
//   - a task names the sink at which its batch is open;
//   - while nothing but one sink is faulty, an image that an s-CNN has answered in time for the
//     broker to notice the fault (without another sink: for the fault to end) is not `missing`: an
//     answer is not lost with its sink;
//   - while nothing is faulty, a slot whose collage has come is settled when patience ends.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "replay/sim/trial_options.h"
#include "replay/sim/violations.h"

namespace replay::sim {

class SinkChecker {
 public:
  // Borrows both.
  SinkChecker(const TrialOptions& options, Violations& violations)
      : options_(options), violations_(violations) {}

  // A message that has arrived at the broker or at a sink, and any that is sent.
  void on_arrived(NodeId from, const wire::Message& message, wire::Instant now);
  void on_arrived_at_sink(NodeId sink, const wire::Message& message, wire::Instant now);
  void on_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now);

  // Finds what should have happened before `now`.
  void on_time(wire::Instant now);

 private:
  using Token = std::uint64_t;
  using Key = std::pair<NodeId, wire::RequestId>;
  struct Asked {
    Token token = 0;
    wire::Instant deadline;
  };
  // A batch as one sink knows it.
  struct Joined {
    bool opened = false;
    // The sink has it: it came neither after its collage, which may be lost as an orphan, nor when
    // the sink had as many as it takes.
    bool certain = false;
    wire::Instant expiry;  // The sink may give it up from here on.
    std::size_t slots = 0;
    std::optional<std::vector<wire::Instant>> admitted;  // From the seal on.
    bool collage_only = false;
    std::optional<std::vector<bool>> usable;  // The slots that its first collage may settle.
    std::set<wire::Slot> settled;             // By the sink.
    bool over = false;                        // The broker has settled it.
  };
  using JoinedKey = std::pair<NodeId, wire::BatchId>;

  void on_opened(NodeId sink, const wire::BatchOpened& opened, wire::Instant now);
  void on_sealed(NodeId sink, const wire::BatchSealed& sealed, wire::Instant now);
  void on_collage(NodeId sink, const wire::CollageAnswer& answer, wire::Instant now);
  void on_batch_settled(NodeId sink, wire::BatchId batch);
  // Notes when the sink has to settle the slots of a batch, once its seal and collage are there.
  void note_due(const JoinedKey& key, wire::Instant now);
  wire::Duration patience_max() const;
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
  std::map<JoinedKey, Joined> joined_;
  std::map<NodeId, std::size_t> open_;  // Of each sink: batches opened, and not settled as a whole.
  std::set<std::tuple<wire::Instant, JoinedKey, wire::Slot>> due_;
};

}  // namespace replay::sim
