#include "stages/sink/patience.h"

#include <algorithm>

#include "machine/quantile.h"
#include "machine/slowness.h"
#include "wire/check.h"

namespace stages::sink {
namespace {

// The p95 alone would follow a fleet of which more than one task in twenty straggles: then it is a
// straggler's time.  The median is not moved by stragglers; 1.6 x of it leaves room for the
// everyday spread.
wire::Duration patience_for(wire::Duration p95, wire::Duration median) {
  return std::min(p95, median * 8 / 5);
}

}  // namespace

Patience::Patience(Policy policy) : policy_(policy) {
  COLLAGE_CHECK(policy.min <= policy.max && policy.window > 0 && policy.worker_max > 0);
  learned_.patience = policy.initial;
}

void Patience::on_answer(wire::WorkerId worker, wire::Duration service, wire::Duration age,
                         wire::Instant now) {
  if (!windows_.contains(worker) && windows_.size() >= policy_.worker_max) {
    windows_.erase(std::min_element(
        windows_.begin(), windows_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  Window& window = windows_[worker];
  window.used = ++uses_;
  window.answered = now;
  if (window.answers.size() < policy_.window) {
    window.answers.push_back({service, age});
  } else {
    window.answers[window.next] = {service, age};
    window.next = (window.next + 1) % policy_.window;
  }
}

void Patience::forget_idle(wire::Instant now) {
  const auto idle = [&](const auto& entry) {
    return now - entry.second.answered > policy_.idle_max;
  };
  std::size_t known = 0;
  for (const auto& entry : windows_) known += idle(entry) ? 0 : entry.second.answers.size();
  if (known >= policy_.sample_min) std::erase_if(windows_, idle);
}

Patience::Times<std::vector<wire::Duration>> Patience::healthy() const {
  std::vector<wire::Duration> medians, services;
  for (const auto& [worker, window] : windows_) {
    services.clear();
    for (const auto& answer : window.answers) services.push_back(answer.service);
    medians.push_back(machine::quantile_of_unsorted(services, 0.5));
  }
  const wire::Duration usual = *machine::usual_service(medians);
  Times<std::vector<wire::Duration>> pooled;
  std::size_t index = 0;
  for (const auto& [worker, window] : windows_) {
    if (machine::is_slow(medians[index++], usual)) continue;
    for (const auto& answer : window.answers) {
      pooled.service.push_back(answer.service);
      pooled.age.push_back(answer.age);
    }
  }
  return pooled;
}

void Patience::learn(wire::Instant now) {
  forget_idle(now);
  if (windows_.empty()) return;
  Times<std::vector<wire::Duration>> times = healthy();
  if (times.service.size() < policy_.sample_min) return;
  const auto of_services = [&times](double p) {
    return machine::quantile_of_unsorted(times.service, p);
  };
  const auto of_ages = [&times](double p) { return machine::quantile_of_unsorted(times.age, p); };
  learned_.p95 = of_ages(0.95);
  learned_.p99 = of_services(0.99);
  learned_.budget = of_ages(1 - policy_.budget_share);
  if (!policy_.learned) return;
  const wire::Duration most = patience_for(of_services(0.95), of_services(0.5)) * 11 / 10;
  learned_.patience = std::clamp(std::min(patience_for(learned_.p95, of_ages(0.5)), most),
                                 policy_.min, policy_.max);
}

}  // namespace stages::sink
