// Decides when the pipeline is overloaded: when more images come than its s-CNNs can classify.
//
// Overload begins when a new image would wait for an s-CNN longer than patience and the line will
// not go away by itself: as many images come as the s-CNNs can classify, or the line is twice as
// long.  A short burst is not worth answers of the collage alone.  Overload ends when no image
// waits and fewer images have come lately than the s-CNNs could have classified, with some reserve.
//
// Overload is pure.
#pragma once

#include <cstddef>
#include <optional>

#include "wire/types.h"

namespace broker {

// How fast images come, over about the time that is given.
class ArrivalRate {
 public:
  // The weight of an arrival falls by a factor of e in `memory`.
  explicit ArrivalRate(wire::Duration memory) : memory_s_(wire::to_seconds(memory)) {}
  void add(wire::Instant now);
  double per_second(wire::Instant now) const;

 private:
  const double memory_s_;
  double rate_ = 0;
  wire::Instant at_;  // When rate_ was right.
};

class Overload {
 public:
  Overload();
  // What the broker knows of its singles.
  struct Singles {
    std::size_t waiting = 0;           // Images that wait for an s-CNN.
    std::optional<double> per_second;  // Images a second of all s-CNNs; nullopt if not learned.
    wire::Duration patience{};
  };

  void on_arrival(wire::Instant now);
  // Notes the present state; returns whether overload has begun or ended by it.
  bool update(const Singles& singles, wire::Instant now);
  bool on() const { return on_; }

 private:
  bool begins(const Singles& singles, wire::Instant now) const;
  bool ends(const Singles& singles, wire::Instant now) const;

  ArrivalRate lasting_, latest_;  // Over some seconds, and over about half a second.
  bool on_ = false;
  wire::Instant since_;  // When overload began.
};

}  // namespace broker
