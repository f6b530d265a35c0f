// Gathers what a driver tells of one policy's run into the figures of a report.
//
// A value that one experiment fills; copies nothing but numbers.
#pragma once

#include <cstdint>
#include <functional>
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

  void answered(const load::Answer& answer);
  void batch(wire::Duration latency);

  // The run so far, with its intervals.
  PolicyRun run(const load::WorkDone& work, double collage_time_ratio, std::uint64_t seed) const;
  // Half of what lies between a latency seen by the driver and the same seen by the broker: one
  // message, one way.  Zero for no answers.
  wire::Duration link() const;

 private:
  PolicyRun run_;
  Truth truth_;
  std::uint64_t right_ = 0, collage_right_ = 0;
  std::vector<wire::Duration> trips_;
};

}  // namespace replay::report
