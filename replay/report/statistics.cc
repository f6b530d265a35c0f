#include "replay/report/statistics.h"

#include <algorithm>
#include <cmath>

#include "machine/quantile.h"
#include "machine/random.h"

namespace replay::report {
namespace {

using machine::quantile;

// Enough that the ends of the interval of 99 % rest on 50 resamplings each.
constexpr std::size_t kResamples = 10'000;

// Gamma of scale 1 (Marsaglia and Tsang 2000).  Requires shape >= 1.
double draw_gamma(double shape, machine::Rng& rng) {
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = rng.normal();
    const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v > 0 && std::log(1 - rng.uniform()) < x * x / 2 + d - d * v + d * std::log(v)) {
      return d * v;
    }
  }
}

// The p99 of a resampling of n values is the one at the r-th smallest of n uniform ranks, and the
// r-th smallest of n uniform numbers is Beta(r, n - r + 1): one draw instead of n.
std::vector<double> resampled_p99(const std::vector<double>& sorted, std::uint64_t seed,
                                  std::size_t resamples) {
  machine::Rng rng(seed);
  const auto n = static_cast<double>(sorted.size());
  const auto r = static_cast<double>(machine::quantile_index(sorted.size(), 0.99) + 1);
  std::vector<double> p99(resamples);
  for (double& value : p99) {
    const double below = draw_gamma(r, rng);
    const double above = draw_gamma(n - r + 1, rng);
    const auto at = static_cast<std::size_t>(n * below / (below + above));
    value = sorted[std::min(at, sorted.size() - 1)];
  }
  std::sort(p99.begin(), p99.end());
  return p99;
}

}  // namespace

Distribution distribution(std::vector<double> seconds, std::uint64_t seed) {
  Distribution d;
  d.count = seconds.size();
  if (seconds.empty()) return d;
  std::sort(seconds.begin(), seconds.end());
  const double n = static_cast<double>(seconds.size());
  for (const double value : seconds) d.mean_s += value / n;
  double variance = 0;
  for (const double value : seconds) variance += (value - d.mean_s) * (value - d.mean_s) / n;
  d.sd_s = std::sqrt(variance);
  d.p25_s = quantile(seconds, 0.25);
  d.p50_s = quantile(seconds, 0.50);
  d.p75_s = quantile(seconds, 0.75);
  d.p95_s = quantile(seconds, 0.95);
  d.p99_s = quantile(seconds, 0.99);
  d.p999_s = quantile(seconds, 0.999);
  const std::vector<double> p99 = resampled_p99(seconds, seed, kResamples);
  d.p99_low_s = quantile(p99, 0.025);
  d.p99_high_s = quantile(p99, 0.975);
  d.p99_lowest_s = quantile(p99, 0.005);
  d.p99_highest_s = quantile(p99, 0.995);
  return d;
}

}  // namespace replay::report
