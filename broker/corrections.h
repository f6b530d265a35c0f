// Which collage answers may still be corrected, and to which producers they were sent.
//
//     keep                      take
//   collage answer sent .......... a single answer of another class -> Correction
//        |<--------- window --------->| too late
//
// An answer is corrected once at most.  At `max` the oldest answer is forgotten.  A request id that
// is opened again is forgotten too: the answer sent before is not the answer to the new request.
//
// Corrections is pure.  Callers pass `now`, which never goes back.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "broker/task.h"
#include "wire/types.h"

namespace broker {

class Corrections {
 public:
  struct Policy {
    wire::Duration window{};  // Time after its answer in which it may be corrected; 0 for never.
    std::size_t max = 0;      // Answers kept, of all producers.
  };
  // An answer from a collage that was sent to its producer.
  struct Correctable {
    wire::ProducerId producer;
    wire::RequestId request;
    wire::ClassId label;  // The top class of the answer.
    wire::Instant admitted;
  };

  explicit Corrections(Policy policy) : policy_(policy) {}

  // Remembers an answer that is sent now.  Returns whether another had to be forgotten for it.
  bool keep(Task task, Correctable answer, wire::Instant now);

  // Forgets the answer for a slot whose image an s-CNN classifies as `label`; returns the answer if
  // its class is another, so that it is to be corrected.
  std::optional<Correctable> take(Task task, wire::ClassId label, wire::Instant now);

  void forget(wire::ProducerId producer, wire::RequestId request);
  // Forgets the answers that were sent a window ago.
  void expire(wire::Instant now);

  std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    Correctable answer;
    wire::Instant until;
  };
  void erase(Task task);

  const Policy policy_;
  std::map<Task, Kept> kept_;
  std::map<std::pair<wire::ProducerId, wire::RequestId>, Task> tasks_;
  std::set<std::pair<wire::Instant, Task>> expiries_;
};

}  // namespace broker
