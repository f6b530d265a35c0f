// The figures of a latency distribution, and how sure one can be of its tail.
//
// Pure.  Quantiles are nearest-rank: the smallest value that at least a fraction p of the values
// do not exceed, so that a quantile is always a value that occurred.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace replay::report {

struct Distribution {
  std::size_t count = 0;
  double mean_s = 0, sd_s = 0;  // The standard deviation of the values themselves (over n).
  double p25_s = 0, p50_s = 0, p75_s = 0, p95_s = 0, p99_s = 0, p999_s = 0;
  double p99_low_s = 0, p99_high_s = 0;        // 95 % bootstrap interval of p99.
  double p99_lowest_s = 0, p99_highest_s = 0;  // The same of 99 %.
};

// Of sorted values.  Requires some, and 0 <= p <= 1.
double quantile(std::span<const double> sorted, double p);

// Of values in seconds, in any order; all zero for none.  The interval is the percentile
// bootstrap (Efron, 1979) over 10,000 resamplings drawn with `seed`.
Distribution distribution(std::vector<double> seconds, std::uint64_t seed);

}  // namespace replay::report
