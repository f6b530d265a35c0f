// Results in the order in which their requests were submitted, stream by stream.
//
//     add 1 2 3 4     settle 2, 3: held     settle 1 -> 1 2 3     settle 4 -> 4
//
// Order is kept here, not by the broker: only the client knows the order of submission across a
// broker's restart, and only it has the last word on every request.  So nothing waits for ever: the
// request that others wait for is settled by its own deadline.
//
// Streams is pure.  It holds no more than was added and not settled, and what waits for these.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "producer/delivered.h"

namespace producer {

class Streams {
 public:
  // A result that waits for those before it.
  struct Held {
    Delivered delivered;
    wire::Instant submitted;
    std::optional<wire::Correction> correction = std::nullopt;  // That came for it meanwhile.
  };

  // Requires an id above all that were added to this stream.
  void add(StreamId stream, wire::RequestId id);

  // Takes the result of a request that was added; returns what nothing holds back any more.
  std::vector<Held> settle(StreamId stream, Held result);

  // A result that is held, or nullptr.
  Held* find(wire::RequestId id);
  std::size_t held() const { return held_.size(); }

 private:
  std::map<StreamId, std::deque<wire::RequestId>> order_;  // What has not been returned.
  std::map<wire::RequestId, Held> held_;
};

}  // namespace producer
