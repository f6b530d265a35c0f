// Records a run while it lasts: passes the events of the load generator to the figures, to the
// event file and to the progress display.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "replay/load/fault_schedule.h"
#include "replay/load/load_generator.h"
#include "replay/load/scenario.h"
#include "replay/report/collector.h"
#include "replay/report/events.h"

namespace replay::report {

class Recorder {
 public:
  using Truth = Collector::Truth;
  // Takes the number of finished batches, or of finished images in an open loop.
  using Progress = std::function<void(std::size_t done)>;

  // `truth` and `progress` may be empty.  Borrows the events and the faults.
  Recorder(const std::string& policy, const load::LoadGenerator::Options& generator,
           const std::vector<load::Fault>& faults, Truth truth, EventFile& events,
           Progress progress);

  // The callbacks for the load generator, without `image`.  They borrow the recorder.
  load::LoadGenerator::Listener listener();
  const Collector& collector() const { return collector_; }

 private:
  void answered(const load::Answer& answer);
  void batch(std::size_t batch, wire::Instant at, wire::Duration latency);
  void mark(std::size_t mark, wire::Instant at);

  const std::vector<load::Fault>& faults_;
  const std::vector<load::FaultEvent> schedule_;
  const Truth truth_;
  const Progress progress_;
  const bool batches_;
  EventFile& events_;
  Collector collector_;
  std::size_t answers_ = 0;
};

}  // namespace replay::report
