// The figures of a latency distribution, with confidence intervals of its tail.
//
// Pure.  Quantiles are nearest-rank (machine/quantile.h).
#pragma once

#include <cstdint>
#include <vector>

namespace replay::report {

struct Distribution {
  std::size_t count = 0;
  double mean_s = 0, sd_s = 0;  // The standard deviation divides by n, not by n - 1.
  double p25_s = 0, p50_s = 0, p75_s = 0, p95_s = 0, p99_s = 0, p999_s = 0;
  double p99_low_s = 0, p99_high_s = 0;        // 95 % confidence interval of p99.
  double p99_lowest_s = 0, p99_highest_s = 0;  // 99 % confidence interval of p99.
};

// The figures of values in seconds, in any order; all zero if there are none.  The intervals are
// percentile bootstraps (Efron, 1979) over 10,000 resamplings drawn with `seed`.
Distribution distribution(std::vector<double> seconds, std::uint64_t seed);

inline double in_ms(double seconds) { return seconds * 1000; }

}  // namespace replay::report
