#include "replay/report/statistics.h"

#include <algorithm>
#include <cmath>

#include "wire/check.h"
#include "wire/random.h"

namespace replay::report {
namespace {

std::size_t rank(std::size_t count, double p) {
  const auto up = static_cast<std::size_t>(std::ceil(p * static_cast<double>(count)));
  return up == 0 ? 0 : up - 1;
}

// p99 of a resampling is the value at the rank-th smallest of n uniform ranks, so drawing ranks
// and selecting one replaces sorting the values anew.
std::vector<double> resampled_p99(std::span<const double> sorted, std::uint64_t seed,
                                  std::size_t resamples) {
  wire::Rng rng(seed);
  std::vector<std::size_t> ranks(sorted.size());
  std::vector<double> p99(resamples);
  for (double& value : p99) {
    for (std::size_t& r : ranks) r = rng.below(sorted.size());
    const auto at = ranks.begin() + static_cast<std::ptrdiff_t>(rank(ranks.size(), 0.99));
    std::nth_element(ranks.begin(), at, ranks.end());
    value = sorted[*at];
  }
  std::sort(p99.begin(), p99.end());
  return p99;
}

}  // namespace

double quantile(std::span<const double> sorted, double p) {
  COLLAGE_CHECK(!sorted.empty() && p >= 0 && p <= 1);
  return sorted[rank(sorted.size(), p)];
}

Distribution distribution(std::vector<double> seconds, std::uint64_t seed, std::size_t resamples) {
  Distribution d;
  d.count = seconds.size();
  if (seconds.empty()) return d;
  std::sort(seconds.begin(), seconds.end());
  const double n = static_cast<double>(seconds.size());
  for (const double value : seconds) d.mean_s += value / n;
  double variance = 0;
  for (const double value : seconds) variance += (value - d.mean_s) * (value - d.mean_s) / n;
  d.sd_s = std::sqrt(variance);
  d.p50_s = quantile(seconds, 0.50);
  d.p95_s = quantile(seconds, 0.95);
  d.p99_s = quantile(seconds, 0.99);
  d.p999_s = quantile(seconds, 0.999);
  d.p99_low_s = d.p99_high_s = d.p99_s;
  if (resamples == 0) return d;
  const std::vector<double> p99 = resampled_p99(seconds, seed, resamples);
  d.p99_low_s = quantile(p99, 0.025);
  d.p99_high_s = quantile(p99, 0.975);
  return d;
}

}  // namespace replay::report
