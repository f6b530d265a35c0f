// Decides when the pipeline is overloaded: when more images come than its s-CNNs can classify.
//
// Overload begins when a new image would wait for an s-CNN longer than patience.  It ends when no
// image waits and fewer images have come lately than the s-CNNs could have classified, with some
// reserve.
//
// Overload is pure.
#pragma once

#include <cstddef>
#include <optional>

#include "wire/types.h"

namespace broker {

// How fast images come, over about the last half second.
class ArrivalRate {
 public:
  void add(wire::Instant now);
  double per_second(wire::Instant now) const;

 private:
  double rate_ = 0;
  wire::Instant at_;  // When rate_ was right.
};

class Overload {
 public:
  // What the broker knows of its singles.
  struct Singles {
    std::size_t waiting = 0;           // Images that wait for an s-CNN.
    std::optional<double> per_second;  // Images a second of all s-CNNs; nullopt if not learned.
    wire::Duration patience{};
  };

  void on_arrival(wire::Instant now) { arrivals_.add(now); }
  // Notes the present state; returns whether overload has begun or ended by it.
  bool update(const Singles& singles, wire::Instant now);
  bool on() const { return on_; }

 private:
  ArrivalRate arrivals_;
  bool on_ = false;
  wire::Instant since_;  // When overload began.
};

}  // namespace broker
