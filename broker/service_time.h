// A running estimate of how long a task takes: its mean, and how far tasks stray from it.
//
// Both are exponentially weighted, as a retransmission timer's (Jacobson 1988; RFC 6298), here over
// about the last 64 tasks.  Pure.
#pragma once

#include <chrono>
#include <cstddef>

#include "wire/types.h"

namespace broker {

class ServiceTime {
 public:
  void add(wire::Duration service);

  // Whether there were enough tasks to rely on the estimate.
  bool known() const { return count_ >= kCountMin; }
  // At least a microsecond.
  wire::Duration mean() const;
  // A time that few tasks exceed: the mean and four times the mean deviation.
  wire::Duration high() const { return mean() + wire::from_seconds(4 * deviation_s_); }

 private:
  static constexpr std::size_t kCountMin = 8;

  std::size_t count_ = 0;  // Number of tasks so far.
  double mean_s_ = 0;
  double deviation_s_ = 0;  // Mean of the absolute differences from mean_s_.
};

}  // namespace broker
