// Checks that no stage begins work whose time is over: its answer would be late for everyone.
//
// A task's time ends when what remained at its arrival at the stage has passed.  Tasks are found
// again by their pictures: a stage hands the very bytes that arrived to its work.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "machine/machine.h"
#include "replay/sim/violations.h"
#include "replay/sim/world.h"

namespace replay::sim {

class ExpiryChecker {
 public:
  explicit ExpiryChecker(Violations& violations) : violations_(violations) {}

  // A message that has arrived at an s-CNN stage or a collage-CNN.
  void on_arrived(NodeId stage, const wire::Message& message, wire::Instant now);
  // The work that a node begins.
  void on_work(NodeId node, const machine::Work& work, wire::Instant now);
  // A node has started or crashed.
  void on_life(NodeId node);

 private:
  void on_begun(NodeId node, const wire::Payload& picture, wire::Instant now);

  using Picture = std::pair<NodeId, const std::uint8_t*>;

  Violations& violations_;
  std::map<Picture, wire::Instant> ends_;  // When the time of a task ends.
};

}  // namespace replay::sim
