#include "broker/overload.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace broker {
namespace {

// At 0.7 of what the s-CNNs can classify, random arrivals reach it over a second almost never.
constexpr wire::Duration kLasting = std::chrono::milliseconds(1000);
// Ten times the load is forgotten in a second.
constexpr wire::Duration kLatest = std::chrono::milliseconds(300);
// Above this share of the s-CNNs' rate images often find none of them free, and overload would
// begin again at once.
constexpr double kCalmShare = 0.85;
constexpr wire::Duration kShortest = std::chrono::seconds(1);

}  // namespace

void ArrivalRate::add(wire::Instant now) {
  rate_ = per_second(now) + 1 / memory_s_;
  at_ = now;
}

double ArrivalRate::per_second(wire::Instant now) const {
  return rate_ * std::exp(-wire::to_seconds(now - at_) / memory_s_);
}

Overload::Overload() : lasting_(kLasting), latest_(kLatest) {}

void Overload::on_arrival(wire::Instant now) {
  lasting_.add(now);
  latest_.add(now);
}

bool Overload::begins(const Singles& singles, wire::Instant now) const {
  const double ahead = static_cast<double>(singles.waiting + 1);
  const double in_time = *singles.per_second * wire::to_seconds(singles.patience);
  const bool lasts = lasting_.per_second(now) >= *singles.per_second;
  return ahead > in_time * (lasts ? 1 : 2);
}

bool Overload::ends(const Singles& singles, wire::Instant now) const {
  return singles.waiting == 0 && now - since_ >= kShortest &&
         latest_.per_second(now) < kCalmShare * *singles.per_second;
}

bool Overload::update(const Singles& singles, wire::Instant now) {
  // Before service times are known there is nothing to compare with.
  if (!singles.per_second) return false;
  if (on_ ? !ends(singles, now) : !begins(singles, now)) return false;
  if (!on_) since_ = now;
  on_ = !on_;
  return true;
}

}  // namespace broker
