// How long to wait for single answers, learned from how long recent ones have taken.
//
//     patience = min(p95, 1.6 x median) over the recent answers of healthy workers,
//
// within [min, max].  A worker is healthy while its median is not slow (machine/slowness.h), so one
// bad worker cannot drag patience up for everyone.  Until `sample_min` answers are known patience
// is `initial`.
//
// An image is late by its age, which counts from its admission, so patience and the quantiles by
// which images are hedged (p95, budget) are of ages.  A wait for a free stage is in them, and under
// load patience would follow the queue: it is at most 1.1 x what the formula makes of service
// times, which count from the arrival of a task at its stage.  The p99, by which the broker
// suspects a stage, is of service times.
//
// A stage that restarts is another worker.  So that a fleet is not judged by the one before it, a
// worker without an answer for longer than `idle_max` is forgotten once the others' answers are
// enough to learn from.  While they are not, an old time is better than none: a pipeline that is
// given an image now and then keeps what it knows.
//
// Patience is pure.  It keeps a ring of the last `window` times of each worker, for at most
// `worker_max` workers; the worker whose last answer is oldest gives way.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "wire/message.h"
#include "wire/types.h"

namespace stages::sink {

class Patience {
 public:
  struct Policy {
    bool learned = true;  // If false, patience stays `initial`; the quantiles are still learned.
    wire::Duration initial = std::chrono::milliseconds(250);
    wire::Duration min = std::chrono::milliseconds(25);
    wire::Duration max = std::chrono::seconds(2);
    std::size_t window = 128;  // Answers remembered of each worker.
    std::size_t sample_min = 32;
    std::size_t worker_max = 0;
    wire::Duration idle_max = std::chrono::minutes(1);
    double budget_share = 0.11;  // Hedges per request that cost as much as the collages do.
  };

  // Requires min <= max, window > 0, worker_max > 0.
  explicit Patience(Policy policy);

  // Notes the service time of a single answer and its age, which counts from admission.
  void on_answer(wire::WorkerId worker, wire::Duration service, wire::Duration age,
                 wire::Instant now);

  // Learns from the windows; cost O(n) in the times held.
  void learn(wire::Instant now);

  // The result of the last learn(); zero quantiles while too few times are known.
  const wire::ServiceTimes& learned() const { return learned_; }

 private:
  // Of one answer, or of many.
  template <typename T>
  struct Times {
    T service, age;
  };
  struct Window {
    std::vector<Times<wire::Duration>> answers;  // A ring when full.
    std::size_t next = 0;
    std::uint64_t used = 0;
    wire::Instant answered;  // When its last answer came.
  };
  void forget_idle(wire::Instant now);
  // The times of all answers of healthy workers, in no order.
  Times<std::vector<wire::Duration>> healthy() const;

  const Policy policy_;
  std::map<wire::WorkerId, Window> windows_;
  std::uint64_t uses_ = 0;
  wire::ServiceTimes learned_;
};

}  // namespace stages::sink
