#include "replay/load/arrivals.h"

#include <cmath>
#include <utility>

#include "wire/check.h"

namespace replay::load {

Schedule::Schedule(Arrivals arrivals, std::uint64_t seed)
    : arrivals_(std::move(arrivals)), rng_(seed) {
  COLLAGE_CHECK(arrivals_.open_loop() && arrivals_.burst > 0);
  COLLAGE_CHECK(arrivals_.kind != Arrivals::Kind::poisson || arrivals_.per_second > 0);
  COLLAGE_CHECK(arrivals_.kind != Arrivals::Kind::recorded ||
                (arrivals_.gaps_s != nullptr && !arrivals_.gaps_s->empty()));
}

wire::Duration Schedule::gap() {
  if (arrivals_.kind == Arrivals::Kind::recorded) {
    const double seconds = (*arrivals_.gaps_s)[at_];
    at_ = (at_ + 1) % arrivals_.gaps_s->size();
    return wire::from_seconds(seconds);
  }
  const double rate = arrivals_.per_second / static_cast<double>(arrivals_.burst);
  return wire::from_seconds(-std::log(1 - rng_.uniform()) / rate);
}

}  // namespace replay::load
