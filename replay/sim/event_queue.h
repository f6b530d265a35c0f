// The future of a simulation: events in order of (instant, sequence number).
//
// Two events of one instant come in the order in which they were added, so a run depends on
// nothing but its seed.  Pure; a binary heap, so every call costs O(log n).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "wire/check.h"
#include "wire/types.h"

namespace replay::sim {

template <class What>
class EventQueue {
 public:
  struct Event {
    wire::Instant at;
    std::uint64_t sequence = 0;
    What what;
  };

  void add(wire::Instant at, What what) {
    heap_.push_back({at, ++sequence_, what});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  bool empty() const { return heap_.empty(); }
  // Requires that the queue is not empty.
  const Event& next() const { return heap_.front(); }
  Event take() {
    COLLAGE_CHECK(!heap_.empty());
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Event event = heap_.back();
    heap_.pop_back();
    return event;
  }

 private:
  static bool later(const Event& a, const Event& b) {
    return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
  }
  std::uint64_t sequence_ = 0;
  std::vector<Event> heap_;
};

}  // namespace replay::sim
