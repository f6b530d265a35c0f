// Gathers what a driver tells of one policy's run into the figures of a report.
//
// A value that one experiment fills; keeps numbers, and a few batches whole as examples.
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
  // The name of the class that an image shows.
  using Truth = std::function<const std::string&(std::size_t image)>;

  // `truth` is empty if no answer can be judged; `slots` (not 0) are the images of a
  // batch.
  Collector(std::string policy, Truth truth, std::size_t slots);

  // Times count from here.
  void begin(wire::Instant at) { begun_ = at; }
  void answered(const load::Answer& answer);
  void batch(std::size_t batch, wire::Duration latency);
  // What the broker's counters say of its workers.
  HealthSample sample(wire::Instant at, const load::Counters& broker) const;
  // False if it is not needed: twice a second is enough.
  bool health(const HealthSample& sample);
  void fault(wire::Instant at, std::string what);

  // The run so far, with its intervals.
  PolicyRun run(const load::WorkDone& work, double collage_time_ratio, std::uint64_t seed) const;
  // Half of what lies between a latency seen by the driver and the same seen by the broker: one
  // message, one way.  Zero for no answers.
  wire::Duration link() const;

 private:
  void keep_example(std::size_t batch);

  PolicyRun run_;
  Truth truth_;
  std::vector<ExampleSlot> open_;  // The batch that is being answered, by slot.
  wire::Instant begun_;
  std::vector<wire::Duration> trips_;
};

}  // namespace replay::report
