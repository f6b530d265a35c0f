// Checks what the broker promises under overload, by the messages and traces of the broker alone.
//
// What it expects follows from docs/ARCHITECTURE.md:
//   - no request is answered at its deadline or later, and no image is given out whose time is
//   over;
//   - only a slot that is settled is withdrawn from a stage;
//   - an image is settled once the sink has settled a slot of it, the present one or a former;
//   - an answer says `brownout` only if the policy allows it and no s-CNN was given the image;
//   - producers share: of two that wait at one priority, neither gets more than a turn ahead of
//     the other, a turn being as many images as the producer's weight.
// And without faults, when the broker knows the state of every stage:
//   - no image waits, and none is refused as `overloaded`, while a stage could take it.
//
// Which images wait in the broker's line is known from its traces: an image has no batch there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "replay/sim/trial_options.h"
#include "replay/sim/violations.h"

namespace replay::sim {

class OverloadChecker {
 public:
  using Weights = std::map<NodeId, std::uint32_t>;
  // Borrows options and violations.  A producer without a weight has 1.
  OverloadChecker(const TrialOptions& options, Violations& violations, Weights weights = {});

  // A message that has arrived at the broker, and one that it sends.
  void on_arrived(NodeId from, const wire::Message& message, wire::Instant now);
  void on_sent(NodeId to, const wire::Message& message, wire::Instant now);
  // What the broker did in the turn whose messages come next.
  void on_traced(const std::vector<machine::TraceEvent>& events, wire::Instant now);
  // The broker has started or crashed: it knows nobody and has promised nothing.
  void on_broker_life();
  // A stage or a producer has started or crashed.
  void on_life(NodeId node);

 private:
  using Token = std::uint64_t;
  using Key = std::pair<wire::ProducerId, wire::RequestId>;
  // A token and the number of its admission: a copy that is sent again may be admitted again.
  using Image = std::pair<Token, std::uint64_t>;

  // A stage as the broker can know it.
  struct Stage {
    bool classifies = false;
    std::uint32_t capacity = 0;
    bool ready = false;  // It has said that it takes tasks.
    std::set<wire::Sequence> sent;
    std::size_t held = 0;  // Tasks that it holds and was not given.
    std::size_t outstanding() const { return sent.size() + held; }
  };
  // An image that is admitted and not settled.
  struct Open {
    Key key;
    Token token = 0;
    wire::Priority priority = wire::Priority::normal;
    wire::Instant deadline;
    wire::Duration remaining{};   // Of the deadline, in the Submit; 0 if it has none.
    std::uint64_t admission = 0;  // Its number.
    bool waits = false;           // In the line.
    bool favoured = false;        // A collage may leave it to the s-CNNs.
    bool given = false;           // To an s-CNN.
  };
  // The images of one producer and priority that wait in the line.
  struct Queue {
    std::size_t waiting = 0;
    std::size_t favoured = 0;  // Of those.
    // For each other producer: how far it is ahead of this one, since both have waited.  Each of
    // the other's images counts as this one's weight, and the reverse.
    std::map<wire::ProducerId, std::uint64_t> behind;
    std::optional<wire::Instant> missed;  // When an image was last too late.
  };
  // A refusal while stages had room, if they were not on probation.
  struct Suspicion {
    bool classifies = false;
    std::size_t idle = 0, on_probation = 0;
  };

  void on_ready(NodeId from, const wire::Ready& ready);
  void on_submit(NodeId from, const wire::Submit& submit, wire::Instant now);
  void on_assign(NodeId to, const wire::Assign& assign, wire::Instant now);
  void on_result(NodeId to, const wire::Result& result, wire::Instant now);
  void on_status(const wire::Status& status, wire::Instant now);
  void on_withdraw(const wire::Withdraw& withdraw, wire::Instant now);
  void admit(const machine::TraceEvent& event);
  void settle(const machine::TraceEvent& event, wire::Instant now);
  void suspect();
  void take(Open& open, wire::Instant now);
  void use_turn(const Open& open);
  void leave_line(Open& open);
  bool shares(const Queue& queue) const;
  Queue& queue(const Open& open) { return queues_[{open.priority, open.key.first}]; }
  std::uint32_t weight(wire::ProducerId producer) const;
  std::size_t idle(bool classifies) const;
  bool brownout() const;
  bool is_open(const Image& image) const;

  const TrialOptions& options_;
  Violations& violations_;
  const bool faultless_;
  const bool knows_probation_;  // No stage can be on probation between two status reports alone.
  std::map<NodeId, Stage> stages_;
  const Weights weights_;
  std::map<NodeId, wire::ProducerId> producers_;
  std::map<wire::ProducerId, std::uint32_t> weights_by_id_;
  std::optional<Open> arrived_;  // The latest Submit.
  std::map<Key, Open> open_, settled_;
  // The image in each slot, and the one of the slot that the sink has just settled.
  std::map<std::pair<wire::BatchId, wire::Slot>, Image> slots_;
  std::optional<Image> told_;
  std::map<Token, Key> tokens_;             // Of open_.
  std::map<wire::Sequence, Token> images_;  // The image of each task.
  std::map<std::pair<wire::Priority, wire::ProducerId>, Queue> queues_;
  std::uint64_t admissions_ = 0;
  std::size_t in_line_ = 0;
  std::vector<Suspicion> suspicions_;         // Since the latest status.
  std::map<bool, std::size_t> on_probation_;  // By `classifies`, at the latest status.
};

}  // namespace replay::sim
