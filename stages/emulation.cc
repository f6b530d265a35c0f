#include "stages/emulation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "wire/check.h"

namespace stages {

Emulation::Emulation(LatencySource source, machine::Rng rng, Spell spell)
    : source_(std::move(source)), rng_(rng), spell_(spell) {
  if (const auto* recorded = std::get_if<Recorded>(&source_)) {
    COLLAGE_CHECK(recorded->seconds != nullptr && !recorded->seconds->empty());
    at_ = rng_.below(recorded->seconds->size());
  }
}

double Emulation::draw_seconds() {
  if (const auto* table = std::get_if<Independent>(&source_)) return table->draw(rng_);
  if (const auto* recorded = std::get_if<Recorded>(&source_)) {
    const double seconds = (*recorded->seconds)[at_];
    at_ = (at_ + 1) % recorded->seconds->size();
    return seconds;
  }
  if (const auto* pareto = std::get_if<Pareto>(&source_)) {
    return pareto->scale_s * std::pow(1 - rng_.uniform(), -1 / pareto->shape);
  }
  const auto& log_normal = std::get<LogNormal>(source_);
  return log_normal.median_s * std::exp(log_normal.sigma * rng_.normal());
}

wire::Duration Emulation::draw(wire::Instant now) {
  if (!std::exchange(begun_, true)) first_ = now;
  const wire::Duration since = now - first_;
  const bool slow = since >= spell_.after && since - spell_.after < spell_.length;
  const double seconds = draw_seconds() * (slow ? spell_.factor : 1);
  return wire::from_seconds(std::min(seconds, wire::to_seconds(wire::kDurationMax)));
}

}  // namespace stages
