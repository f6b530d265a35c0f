// The latencies of a push, in constant memory however many they are.
//
// Pure.  Buckets are 1 us wide up to 128 us and at most 1/64 of their value above, so that a
// quantile is at most 1.6 % too large (the idea of HdrHistogram, for which Debian has no C++
// package).
#pragma once

#include <array>
#include <cstdint>

#include "wire/types.h"

namespace producer {

class Latencies {
 public:
  // Counts a latency; a negative one counts as 0, one of over 24 h as 24 h.
  void observe(wire::Duration latency);

  std::uint64_t count() const { return count_; }
  // The nearest-rank quantile, rounded up to its bucket's end but never above max().  Requires
  // count() > 0 and 0 <= p <= 1.
  wire::Duration quantile(double p) const;
  wire::Duration max() const { return max_; }

 private:
  std::array<std::uint64_t, 2112> buckets_{};  // Enough for 24 h.
  std::uint64_t count_ = 0;
  wire::Duration max_{};
};

}  // namespace producer
