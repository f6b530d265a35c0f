#include "stages/sink/patience.h"

#include <algorithm>
#include <span>

#include "machine/quantile.h"
#include "machine/slowness.h"
#include "wire/check.h"

namespace stages::sink {
namespace {

wire::Duration quantile(std::span<const wire::Duration> sorted, double q) {
  return machine::quantile(sorted, q);
}

}  // namespace

Patience::Patience(Policy policy) : policy_(policy) {
  COLLAGE_CHECK(policy.min <= policy.max && policy.window > 0 && policy.worker_max > 0);
  learned_.patience = policy.initial;
}

void Patience::on_service(wire::WorkerId worker, wire::Duration service) {
  if (!windows_.contains(worker) && windows_.size() >= policy_.worker_max) {
    windows_.erase(std::min_element(
        windows_.begin(), windows_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  Window& window = windows_[worker];
  window.used = ++uses_;
  if (window.times.size() < policy_.window) {
    window.times.push_back(service);
  } else {
    window.times[window.next] = service;
    window.next = (window.next + 1) % policy_.window;
  }
}

std::vector<wire::Duration> Patience::healthy() const {
  std::vector<wire::Duration> medians;
  for (const auto& [worker, window] : windows_) {
    std::vector<wire::Duration> sorted = window.times;
    std::ranges::sort(sorted);
    medians.push_back(quantile(sorted, 0.5));
  }
  const wire::Duration usual = *machine::usual_service(medians);
  std::vector<wire::Duration> pooled;
  std::size_t index = 0;
  for (const auto& [worker, window] : windows_) {
    if (machine::is_slow(medians[index++], usual)) continue;
    pooled.insert(pooled.end(), window.times.begin(), window.times.end());
  }
  return pooled;
}

void Patience::learn() {
  if (windows_.empty()) return;
  std::vector<wire::Duration> times = healthy();
  if (times.size() < policy_.sample_min) return;
  std::ranges::sort(times);
  learned_.p95 = quantile(times, 0.95);
  learned_.p99 = quantile(times, 0.99);
  learned_.budget = quantile(times, 1 - policy_.budget_share);
  if (!policy_.learned) return;
  // The p95 alone would follow a fleet of which more than one task in twenty straggles: then it is
  // a straggler's time.  The median is not moved by stragglers; 1.6 x of it leaves room for the
  // everyday spread.
  const wire::Duration median = quantile(times, 0.5);
  learned_.patience = std::clamp(std::min(learned_.p95, median * 8 / 5), policy_.min, policy_.max);
}

}  // namespace stages::sink
