// Answers by collages that were delivered, and that a correction may still follow.
//
// Each is corrected once at most, and only by another class.  At `max` the oldest gives way.  Pure;
// callers pass `now`, which never goes back.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "wire/types.h"

namespace producer {

class Correctable {
 public:
  explicit Correctable(std::size_t max) : max_(max) {}

  // Remembers a request's answer until then.  Requires that it is not remembered.
  void add(wire::RequestId id, wire::ClassId label, wire::Instant submitted, wire::Instant until);

  // A single answer takes the image for `label`.  Gives the request up, and returns when it was
  // submitted if that corrects its answer.
  std::optional<wire::Instant> take(wire::RequestId id, wire::ClassId label);

  void expire(wire::Instant now);
  // When expire next has work to do.
  std::optional<wire::Instant> next_timeout() const;
  std::size_t size() const { return answers_.size(); }

 private:
  struct Answer {
    wire::ClassId label;
    wire::Instant submitted;
    wire::Instant until;
  };
  void erase(wire::RequestId id);

  const std::size_t max_;
  std::map<wire::RequestId, Answer> answers_;
  std::set<std::pair<wire::Instant, wire::RequestId>> expiries_;
};

}  // namespace producer
