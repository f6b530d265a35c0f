#include "replay/load/arrivals.h"

#include <cmath>
#include <utility>

#include "wire/check.h"

namespace replay::load {

wire::Duration Arrivals::cycle() const {
  wire::Duration all{};
  if (kind != Kind::steps) return all;
  for (const Step& step : steps) all += step.length;
  return all;
}

double Arrivals::mean_per_second() const {
  if (kind == Kind::poisson) return per_second;
  if (kind != Kind::steps) return 0;
  double images = 0;
  for (const Step& step : steps) images += step.per_second * wire::to_seconds(step.length);
  return images / wire::to_seconds(cycle());
}

Schedule::Schedule(Arrivals arrivals, std::uint64_t seed)
    : arrivals_(std::move(arrivals)), rng_(seed) {
  COLLAGE_CHECK(arrivals_.open_loop() && arrivals_.burst > 0);
  COLLAGE_CHECK(arrivals_.kind != Arrivals::Kind::poisson || arrivals_.per_second > 0);
  COLLAGE_CHECK(arrivals_.kind != Arrivals::Kind::recorded ||
                (arrivals_.gaps_s != nullptr && !arrivals_.gaps_s->empty()));
  COLLAGE_CHECK(arrivals_.kind != Arrivals::Kind::steps || arrivals_.mean_per_second() > 0);
}

wire::Duration Schedule::gap() {
  if (arrivals_.kind == Arrivals::Kind::recorded) {
    const double seconds = (*arrivals_.gaps_s)[at_];
    at_ = (at_ + 1) % arrivals_.gaps_s->size();
    return wire::from_seconds(seconds);
  }
  if (arrivals_.kind == Arrivals::Kind::steps) return gap_of_steps();
  const double rate = arrivals_.per_second / static_cast<double>(arrivals_.burst);
  return wire::from_seconds(-std::log(1 - rng_.uniform()) / rate);
}

// Draws how many images are due until the next arrival, on average, and goes through the steps
// until so many were.
wire::Duration Schedule::gap_of_steps() {
  double images = -std::log(1 - rng_.uniform());
  wire::Duration gap{};
  for (;;) {
    const Arrivals::Step& step = arrivals_.steps[at_];
    const wire::Duration left = step.length - into_;
    const double due = step.per_second * wire::to_seconds(left);
    if (images < due) {
      const wire::Duration rest = wire::from_seconds(images / step.per_second);
      into_ += rest;
      return gap + rest;
    }
    images -= due;
    gap += left;
    into_ = {};
    at_ = (at_ + 1) % arrivals_.steps.size();
  }
}

}  // namespace replay::load
