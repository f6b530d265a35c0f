// Which collage answers may still be corrected, and whose they are.
//
//     keep                      take
//   collage answer sent .......... a single answer of another class -> Correction
//        |<--------- window --------->| too late
//
// An answer is corrected once at most.  At `max` the oldest gives way.  A request that is opened
// again is forgotten: what was told before is no longer its answer.
//
// Corrections is pure.  Callers pass `now`, which never goes back.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "broker/roster.h"
#include "wire/types.h"

namespace broker {

class Corrections {
 public:
  struct Policy {
    wire::Duration window{};  // 0: nothing is ever corrected.
    std::size_t max = 0;
  };
  struct Told {
    wire::ProducerId producer;
    wire::RequestId request;
    wire::ClassId label;  // What the collage took it for.
    wire::Instant admitted;
  };

  explicit Corrections(Policy policy) : policy_(policy) {}

  // Remembers what has been told now.  Returns whether another had to give way.
  bool keep(Task task, Told told, wire::Instant now);

  // An s-CNN takes the image of a slot for `label`.  Gives up what was told of it, and returns
  // that if it is to be corrected.
  std::optional<Told> take(Task task, wire::ClassId label, wire::Instant now);

  void forget(wire::ProducerId producer, wire::RequestId request);
  // Forgets what was told a window ago.
  void expire(wire::Instant now);

  std::size_t size() const { return told_.size(); }

 private:
  struct Kept {
    Told told;
    wire::Instant until;
  };
  void erase(Task task);

  const Policy policy_;
  std::map<Task, Kept> told_;
  std::map<std::pair<wire::ProducerId, wire::RequestId>, Task> tasks_;
  std::set<std::pair<wire::Instant, Task>> expiries_;
};

}  // namespace broker
