#include "stages/sink/patience.h"

#include <algorithm>
#include <cmath>

#include "wire/check.h"

namespace stages::sink {
namespace {

// The smallest time that at least a fraction p of the times do not exceed.
wire::Duration quantile(std::vector<wire::Duration>& times, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(times.size())));
  const std::size_t index = rank == 0 ? 0 : rank - 1;
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(index), times.end());
  return times[index];
}

}  // namespace

Patience::Patience(Policy policy) : policy_(policy) {
  COLLAGE_CHECK(policy.min <= policy.max && policy.window > 0 && policy.worker_max > 0);
  service_.patience = policy.initial;
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
    std::vector<wire::Duration> times = window.times;
    medians.push_back(quantile(times, 0.5));
  }
  std::vector<wire::Duration> sorted = medians;
  const wire::Duration usual = quantile(sorted, 0.5);
  std::vector<wire::Duration> pooled;
  std::size_t index = 0;
  for (const auto& [worker, window] : windows_) {
    if (medians[index++] > 2 * usual) continue;
    pooled.insert(pooled.end(), window.times.begin(), window.times.end());
  }
  return pooled;
}

void Patience::learn() {
  if (windows_.empty()) return;
  std::vector<wire::Duration> times = healthy();
  if (times.size() < policy_.sample_min) return;
  service_.p95 = quantile(times, 0.95);
  service_.p99 = quantile(times, 0.99);
  service_.budget = quantile(times, 1 - policy_.budget_share);
  if (!policy_.learned) return;
  const wire::Duration median = quantile(times, 0.5);
  service_.patience = std::clamp(std::min(service_.p95, median * 8 / 5), policy_.min, policy_.max);
}

}  // namespace stages::sink
