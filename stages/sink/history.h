// The last fifteen minutes in intervals: what became of requests, latencies with and without the
// collage, and how full batches were.
//
//     on_counts (totals, as the broker reports them) --+
//     on_latency (each settled or late answer) --------+--> advance(now) --> samples()
//
// A ring buffer: the oldest of sample_max intervals gives way.  Of each interval the newest
// latency_max latencies of either kind count.  Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "wire/types.h"

namespace stages::sink {

class History {
 public:
  struct Policy {
    wire::Duration interval = std::chrono::seconds(5);
    std::size_t sample_max = 180;    // Intervals kept.
    std::size_t latency_max = 2000;  // Latencies kept of each kind in an interval.
  };
  // Totals since the broker's start, or what was added to them in an interval.
  struct Counts {
    std::uint64_t single = 0, hedge = 0, collage = 0;  // Answers by source.
    std::uint64_t brownout = 0;  // Answers by collages of images that no s-CNN was given.
    std::uint64_t missing = 0, refused = 0, rejected = 0;
    std::uint64_t batches = 0, uncovered = 0;  // Batches opened, and those without a collage.
    std::uint64_t covered = 0, images = 0;     // Sealed batches with a collage, and their images.

    std::uint64_t answered() const { return single + hedge + collage; }
    // All requests that had an answer or an error.
    std::uint64_t ended() const { return answered() + missing + refused + rejected; }
    Counts& operator+=(const Counts& more);
  };
  struct Quantiles {
    std::size_t count = 0;  // Of the latencies behind the quantiles; they are 0 if it is.
    wire::Duration p50{}, p95{}, p99{};
  };
  struct Sample {
    wire::Instant end;  // The interval is the time `interval` before.
    Counts counts;
    Quantiles with, without;  // With the collage's help, and without it.
  };

  explicit History(Policy policy) : policy_(policy) {}

  // Takes the totals of the broker.  Smaller ones than before are those of another life.
  void on_counts(const Counts& totals);
  // Takes a latency: of a settled slot (with) or of the first single answer (without).
  void on_latency(bool with_collage, wire::Duration latency);
  // Closes the intervals that end at `now` or before.
  void advance(wire::Instant now);

  const std::deque<Sample>& samples() const { return samples_; }  // Oldest first.
  wire::Duration interval() const { return policy_.interval; }
  // What was added in the newest `intervals` intervals and since, and how long that is.
  Counts recent(std::size_t intervals) const;
  wire::Duration recent_time(std::size_t intervals, wire::Instant now) const;

 private:
  struct Latest {
    std::vector<wire::Duration> times;
    std::size_t next = 0;  // What the next latency replaces, once there are latency_max.
  };
  Quantiles take_quantiles(Latest& latest);

  const Policy policy_;
  std::deque<Sample> samples_;
  bool counted_ = false;  // Totals have come: earlier ones are not of this sink's time.
  Counts totals_;
  Counts added_;  // In the interval that is not over.
  Latest with_, without_;
  wire::Instant end_;  // Of the interval that is not over; meaningless before the first advance().
  bool begun_ = false;
};

}  // namespace stages::sink
