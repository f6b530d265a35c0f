#include "broker/overload.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace broker {
namespace {

// Weights of arrivals fall by a factor of e in this time: ten times the load is forgotten in a
// second.
constexpr double kMemory_s = 0.3;
// Above this share of the s-CNNs' rate images often find none of them free, and overload would
// begin again at once.
constexpr double kCalmShare = 0.85;
constexpr wire::Duration kShortest = std::chrono::seconds(1);

}  // namespace

void ArrivalRate::add(wire::Instant now) {
  rate_ = per_second(now) + 1 / kMemory_s;
  at_ = now;
}

double ArrivalRate::per_second(wire::Instant now) const {
  return rate_ * std::exp(-wire::to_seconds(now - at_) / kMemory_s);
}

bool Overload::update(const Singles& singles, wire::Instant now) {
  // Before service times are known there is nothing to compare with.
  if (!singles.per_second) return false;
  const double able = *singles.per_second;
  if (!on_) {
    const double ahead = static_cast<double>(singles.waiting + 1);
    if (ahead <= able * wire::to_seconds(singles.patience)) return false;
    since_ = now;
  } else {
    const bool calm = singles.waiting == 0 && now - since_ >= kShortest &&
                      arrivals_.per_second(now) < kCalmShare * able;
    if (!calm) return false;
  }
  on_ = !on_;
  return true;
}

}  // namespace broker
