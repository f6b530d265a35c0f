// Gathers what a driver tells of one policy's run into the figures of a report.
//
// A value that one experiment fills; copies nothing but numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replay/load/driver.h"
#include "replay/load/work.h"
#include "replay/report/summary.h"

namespace replay::report {

class Collector {
 public:
  // The name of the class that an image shows; empty if no answer can be judged.
  using Truth = std::function<const std::string&(std::size_t image)>;

  Collector(std::string policy, Truth truth);

  // Times count from here.
  void begin(wire::Instant at) { begun_ = at; }
  void answered(const load::Answer& answer);
  void batch(wire::Duration latency);
  // Returns the sample, if it is one: twice a second is enough.
  std::optional<HealthSample> health(wire::Instant at, const load::Counters& broker);
  void fault(wire::Instant at, std::string what);

  // The run so far, with its intervals.
  PolicyRun run(const load::WorkDone& work, double collage_time_ratio, std::uint64_t seed) const;
  // Half of what lies between a latency seen by the driver and the same seen by the broker: one
  // message, one way.  Zero for no answers.
  wire::Duration link() const;

 private:
  PolicyRun run_;
  Truth truth_;
  wire::Instant begun_;
  std::vector<wire::Duration> trips_;
};

}  // namespace replay::report
