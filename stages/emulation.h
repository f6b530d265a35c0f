// The service times of other machines, replayed: how long a stage holds its answers back.
//
// Pure; what is drawn depends on the generator and the instants it is handed.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "machine/random.h"
#include "wire/types.h"

namespace stages {

// Independent draws from quantiles, in seconds.
using Independent = machine::QuantileTable;

// Times as they were recorded, in seconds: neighbours stay neighbours, so that slowness lasts.  A
// stage begins at a place of its own and starts over at the end.  Not empty.
struct Recorded {
  std::shared_ptr<const std::vector<double>> seconds;
};

// P(T > t) = (scale / t)^shape for t >= scale.
struct Pareto {
  double shape = 1.5;
  double scale_s = 0.1;
};

// log T is normal with mean log(median) and this standard deviation.
struct LogNormal {
  double median_s = 0.1;
  double sigma = 0.5;
};

using LatencySource = std::variant<Independent, Recorded, Pareto, LogNormal>;

// A spell in which every time is `factor` times as long; counts from the stage's first task.
struct Spell {
  double factor = 1;
  wire::Duration after{};
  wire::Duration length = wire::kDurationMax;
};

class Emulation {
 public:
  Emulation(LatencySource source, machine::Rng rng, Spell spell = {});

  // How long a task that begins now takes at least; never more than wire::kDurationMax.
  wire::Duration draw(wire::Instant now);

 private:
  double draw_seconds();

  LatencySource source_;
  machine::Rng rng_;
  Spell spell_;
  std::size_t at_ = 0;  // Next index of a recording.
  bool begun_ = false;
  wire::Instant first_;
};

}  // namespace stages
