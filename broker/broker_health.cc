// What the broker reports to people: its workers and its own figures to the sink's page, and where
// a worker runs to its log and its metrics.
#include <string>
#include <utility>

#include "broker/broker.h"
#include "machine/trace.h"

namespace broker {

// The sink gets both once a heartbeat.  A sink that has just joined waits for the next one.
void Broker::report_health() {
  book_.update(dispatcher_.roster(), covers_.roster(), now_);
  sinks_.send_health(book_.messages(now_), status(), actions_);
}

// Batches without a collage have no fill: under brownout each image outside of collages is a batch
// of its own.
void Broker::count_fill(const Batch& batch) {
  if (batch.covers.empty()) return;
  counters_.batches_covered += 1;
  counters_.images_covered += batch.admitted.size();
}

void Broker::report_worker_states(machine::Telemetry& report) const {
  machine::Metric metric{"collage_worker_state",
                         "The state of each worker, and where it runs; always 1.",
                         machine::Metric::Kind::gauge,
                         {}};
  for (const wire::WorkerReport& worker : book_.reports(now_)) {
    metric.samples.push_back({{{"role", std::string(to_string(worker.role))},
                               {"worker", machine::short_name(worker.worker)},
                               {"worker_host", worker.location.host},
                               {"worker_unit", worker.location.unit},
                               {"worker_index", std::to_string(worker.location.index)},
                               {"state", std::string(to_string(worker.state))}},
                              1.0});
  }
  report.metrics.push_back(std::move(metric));
}

}  // namespace broker
