#include "stages/sink/history.h"

#include <algorithm>
#include <array>

#include "machine/quantile.h"

namespace stages::sink {
namespace {

using Counts = History::Counts;

constexpr std::array kMembers = {&Counts::single,   &Counts::hedge,   &Counts::collage,
                                 &Counts::brownout, &Counts::missing, &Counts::refused,
                                 &Counts::rejected, &Counts::batches, &Counts::uncovered,
                                 &Counts::covered,  &Counts::images};
static_assert(sizeof(Counts) == kMembers.size() * sizeof(std::uint64_t), "a member is not listed");

}  // namespace

History::Counts& History::Counts::operator+=(const Counts& more) {
  for (const auto member : kMembers) this->*member += more.*member;
  return *this;
}

void History::on_counts(const Counts& totals) {
  // A sink that starts beside a running broker shows what happens from now on.
  if (counted_) {
    for (const auto member : kMembers) {
      const std::uint64_t before = totals_.*member;
      const std::uint64_t after = totals.*member;
      added_.*member += after >= before ? after - before : after;
    }
  }
  counted_ = true;
  totals_ = totals;
}

void History::on_latency(bool with_collage, wire::Duration latency) {
  Latest& latest = with_collage ? with_ : without_;
  if (latest.times.size() < policy_.latency_max) {
    latest.times.push_back(latency);
  } else {
    latest.times[latest.next] = latency;
    latest.next = (latest.next + 1) % policy_.latency_max;
  }
}

History::Quantiles History::take_quantiles(Latest& latest) {
  Quantiles quantiles;
  quantiles.count = latest.times.size();
  if (!latest.times.empty()) {
    std::ranges::sort(latest.times);
    quantiles.p50 = machine::quantile(latest.times, 0.5);
    quantiles.p95 = machine::quantile(latest.times, 0.95);
    quantiles.p99 = machine::quantile(latest.times, 0.99);
  }
  latest = {};
  return quantiles;
}

void History::advance(wire::Instant now) {
  if (!begun_) end_ = now + policy_.interval;
  begun_ = true;
  while (now >= end_) {
    samples_.push_back({end_, added_, take_quantiles(with_), take_quantiles(without_)});
    added_ = {};
    if (samples_.size() > policy_.sample_max) samples_.pop_front();
    end_ = end_ + policy_.interval;
  }
}

History::Counts History::recent(std::size_t intervals) const {
  Counts sum = added_;
  const std::size_t count = std::min(intervals, samples_.size());
  for (std::size_t i = samples_.size() - count; i < samples_.size(); ++i) {
    sum += samples_[i].counts;
  }
  return sum;
}

wire::Duration History::recent_time(std::size_t intervals, wire::Instant now) const {
  if (!begun_) return {};
  const auto count = static_cast<std::int64_t>(std::min(intervals, samples_.size()));
  const wire::Instant begin = end_ - policy_.interval;
  return count * policy_.interval + std::max(now - begin, wire::Duration::zero());
}

}  // namespace stages::sink
