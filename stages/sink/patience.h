// How long to wait for single answers, learned from how long recent ones have taken.
//
//     patience = min(p95, 1.6 x median) over the recent service times of healthy workers,
//
// within [min, max].  A worker is healthy while its median is not slow (machine/slowness.h), so one
// bad worker cannot drag patience up for everyone.  Until `sample_min` times are known patience is
// `initial`.
//
// A service time counts from the arrival of a task at its stage.  The wait for a free stage is not
// in it: under load patience would follow the queue.
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
    std::size_t window = 128;  // Service times remembered of each worker.
    std::size_t sample_min = 32;
    std::size_t worker_max = 0;
    double budget_share = 0.11;  // Hedges per request that cost as much as the collages do.
  };

  // Requires min <= max, window > 0, worker_max > 0.
  explicit Patience(Policy policy);

  // Notes the service time of a single answer.
  void on_service(wire::WorkerId worker, wire::Duration service);

  // Learns from the windows; cost O(n log n) in the times held.
  void learn();

  // The result of the last learn(); zero quantiles while too few times are known.
  const wire::ServiceTimes& learned() const { return learned_; }

 private:
  struct Window {
    std::vector<wire::Duration> times;  // A ring when full.
    std::size_t next = 0;
    std::uint64_t used = 0;
  };
  std::vector<wire::Duration> healthy() const;

  const Policy policy_;
  std::map<wire::WorkerId, Window> windows_;
  std::uint64_t uses_ = 0;
  wire::ServiceTimes learned_;
};

}  // namespace stages::sink
