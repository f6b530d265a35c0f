// Puts the results of each stream into the order in which their requests were submitted.
//
//     add 1 2 3 4     settle 2, 3: held     settle 1 -> 1 2 3     settle 4 -> 4
//
// The client keeps the order, not the broker: only the client knows the order of submission across
// a restart of the broker, and only the client decides the outcome of every request.  So no result
// waits for ever: the request that others wait for gets a result by its own deadline.
//
// Streams is pure.  It holds the ids of unsettled requests and the results that wait for them.
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
  // A result that waits for earlier ones of its stream.
  struct Held {
    Delivered delivered;
    wire::Instant submitted;
    std::optional<wire::Correction> correction = std::nullopt;  // A correction that came meanwhile.
  };

  // Adds a request.  Requires an id above all ids that were added to this stream.
  void add(StreamId stream, wire::RequestId id);

  // Takes the result of a request that was added.  Returns the results that can now be delivered,
  // in order.
  std::vector<Held> settle(StreamId stream, Held result);

  // Returns a result that is held; nullptr if there is none with this id.
  Held* find(wire::RequestId id);
  std::size_t held() const { return held_.size(); }

 private:
  std::map<StreamId, std::deque<wire::RequestId>> order_;  // Requests not delivered, in order.
  std::map<wire::RequestId, Held> held_;
};

}  // namespace producer
