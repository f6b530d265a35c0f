// Collects the results of one policy's run and computes the figures of its report.
//
// Keeps numbers for each image, and a few batches completely as examples.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "replay/load/load_generator.h"
#include "replay/load/work.h"
#include "replay/report/summary.h"

namespace replay::report {

class Collector {
 public:
  // Returns the name of the true class of an image.
  using Truth = std::function<const std::string&(std::size_t image)>;

  // `truth` is empty if the true classes are not known.  `slots` is the number of images in a
  // batch; requires slots > 0.
  Collector(std::string policy, Truth truth, std::size_t slots);

  // Sets the time from which all times of the report count.
  void begin(wire::Instant at) { begun_ = at; }
  void answered(const load::Answer& answer);
  void batch(std::size_t batch, wire::Duration latency);
  // Extracts the numbers of workers from the broker's counters.
  HealthSample sample(wire::Instant at, const load::Counters& broker) const;
  // Keeps a sample.  Returns false, and keeps nothing, within half a second after the one before.
  bool health(const HealthSample& sample);
  void fault(wire::Instant at, std::string what);

  // The figures of the run so far; `seed` is that of the bootstrap intervals.
  PolicyRun run(const load::WorkDone& work, double collage_time_ratio, std::uint64_t seed) const;
  // The time that a message takes one way: half the median difference between a latency measured by
  // the generator and the same measured by the broker.  Zero without answers.
  wire::Duration link() const;

 private:
  void keep_example(std::size_t batch);

  PolicyRun run_;
  Truth truth_;
  std::vector<ExampleSlot> open_;  // Slots of the batch that is being answered.
  wire::Instant begun_;
  std::vector<wire::Duration> trips_;  // One-way time of each answer.
};

}  // namespace replay::report
