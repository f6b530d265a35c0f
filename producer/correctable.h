// The delivered answers of collages that a correction may still follow.
//
// Each answer is corrected at most once, and only with another class.  At `max` answers the one
// that expires first makes room.  Pure; callers pass `now`, which never goes back.
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

  // Remembers the answer of a request until `until`.  Requires that the request is not remembered.
  void add(wire::RequestId id, wire::ClassId label, wire::Instant submitted, wire::Instant until);

  // Removes the request, for which a single answer has the class `label`.  Returns the time of
  // submission if this corrects the collage's answer; else nullopt.
  std::optional<wire::Instant> take(wire::RequestId id, wire::ClassId label);

  // Removes the answers whose time is over.
  void expire(wire::Instant now);
  // When expire next has something to remove; nullopt if nothing is remembered.
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
