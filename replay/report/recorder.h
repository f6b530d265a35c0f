// Writes down a run while it is driven: what a driver tells goes to the figures, to the event log
// and to whoever shows progress.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "replay/load/driver.h"
#include "replay/load/scenario.h"
#include "replay/load/strikes.h"
#include "replay/report/collector.h"
#include "replay/report/events.h"

namespace replay::report {

class Recorder {
 public:
  using Truth = Collector::Truth;
  // Batches that are done; in an open loop, images.
  using Progress = std::function<void(std::size_t done)>;

  // `truth` and `progress` may be empty.  Borrows the events and the faults.
  Recorder(const std::string& policy, const load::Driver::Options& driver,
           const std::vector<load::Fault>& faults, Truth truth, EventFile& events,
           Progress progress);

  // For the driver, without images; borrows the recorder.
  load::Driver::Listener listener();
  const Collector& collector() const { return collector_; }

 private:
  void answered(const load::Answer& answer);
  void batch(std::size_t batch, wire::Instant at, wire::Duration latency);
  void mark(std::size_t mark, wire::Instant at);

  const std::vector<load::Fault>& faults_;
  const std::vector<load::Strike> strikes_;
  const Truth truth_;
  const Progress progress_;
  const bool batches_;
  EventFile& events_;
  Collector collector_;
  std::size_t answers_ = 0;
};

}  // namespace replay::report
