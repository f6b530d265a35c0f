#include "replay/sim/gauge_checker.h"

#include <cmath>

namespace replay::sim {
namespace {

using Gauges = std::map<std::string, std::uint64_t>;

Gauges gauges_of(const wire::Status& status) {
  Gauges gauges;
  for (const wire::Counter& counter : status.counters) gauges[counter.name] = counter.value;
  return gauges;
}

std::uint64_t read(const Gauges& gauges, const std::string& name) {
  const auto found = gauges.find(name);
  return found == gauges.end() ? 0 : found->second;
}

std::uint64_t settled(const Gauges& gauges) {
  std::uint64_t sum = 0;
  for (const char* outcome : {"answered_single", "answered_collage", "answered_hedge", "missing",
                              "rejected", "cancelled", "superseded"}) {
    sum += read(gauges, outcome);
  }
  return sum;
}

}  // namespace

GaugeChecker::GaugeChecker(const TrialOptions& options, Violations& violations)
    : options_(options), violations_(violations) {}

void GaugeChecker::on_result_sent(const wire::Result& result) {
  // A refused request was not admitted, so it is not settled either.
  if (result.status != wire::ResultStatus::refused) seen_.results += 1;
}

void GaugeChecker::on_broker_life() {
  seen_ = {};
  broker_.reset();
}

void GaugeChecker::at_most(const Gauges& gauges, const std::string& name, std::uint64_t most,
                           wire::Instant now) {
  const std::uint64_t value = read(gauges, name);
  if (value <= most) return;
  violations_.add(name + " is " + std::to_string(value) + ", more than " + std::to_string(most),
                  now);
}

void GaugeChecker::on_broker_status(const wire::Status& status, wire::Instant now) {
  broker_ = gauges_of(status);
  check_bounds(*broker_, now);
  check_requests(*broker_, now);
  check_work(*broker_, now);
}

void GaugeChecker::check_bounds(const Gauges& gauges, wire::Instant now) {
  const broker::Policy& policy = options_.fleet.broker;
  const auto copies = static_cast<std::uint64_t>(policy.redundancy.singles_per_image);
  at_most(gauges, "requests_open", policy.open_request_max, now);
  at_most(gauges, "image_bytes_open", policy.open_bytes_max, now);
  at_most(gauges, "requests_waiting", policy.open_request_max * copies, now);
  at_most(gauges, "producers", policy.producer_max, now);
  // Each open request may be alone in its batch, or two if it has moved to a collage, and one batch
  // more may be filling.
  const bool moves = policy.brownout && policy.redundancy.collages_per_batch > 0;
  at_most(gauges, "batches_open", policy.open_request_max * (moves ? 2 : 1) + 1, now);
  at_most(gauges, "correctable", policy.correction_max, now);
}

void GaugeChecker::check_requests(const Gauges& gauges, wire::Instant now) {
  const std::uint64_t admitted = read(gauges, "requests_admitted");
  const std::uint64_t open = read(gauges, "requests_open");
  if (admitted != settled(gauges) + open) {
    violations_.add("the broker admitted " + std::to_string(admitted) + " requests, settled " +
                        std::to_string(settled(gauges)) + " and has " + std::to_string(open) +
                        " open",
                    now);
  }
  at_most(gauges, "requests_admitted", seen_.submits, now);
  if (seen_.results > settled(gauges)) {
    violations_.add("the broker sends more results than it settles", now);
  }
}

void GaugeChecker::check_work(const Gauges& gauges, wire::Instant now) {
  const broker::Policy& policy = options_.fleet.broker;
  const auto copies = static_cast<std::uint64_t>(policy.redundancy.singles_per_image);
  const std::uint64_t admitted = read(gauges, "requests_admitted");
  at_most(gauges, "tasks_dispatched",
          admitted * copies + read(gauges, "hedges") + read(gauges, "tasks_redispatched") +
              read(gauges, "probes") + read(gauges, "rescued"),
          now);
  if (read(gauges, "tasks_dispatched") != seen_.tasks) {
    violations_.add("the broker counts other tasks than it sends", now);
  }
  const double hedges_max = std::ceil(policy.hedge_rate_max * static_cast<double>(admitted));
  at_most(gauges, "hedges", static_cast<std::uint64_t>(hedges_max), now);
}

void GaugeChecker::on_sink_status(NodeId sink, const wire::Status& status, wire::Instant now) {
  const Gauges& gauges = sinks_[sink] = gauges_of(status);
  at_most(gauges, "batches_open", options_.fleet.sink.joiner.open_batch_max, now);
  at_most(gauges, "orphans", options_.fleet.sink.joiner.orphan_max, now);
}

void GaugeChecker::finish(wire::Instant now) {
  if (!broker_ || sinks_.size() < options_.fleet.sinks) {
    return violations_.add("broker or sink reports no status at the end", now);
  }
  for (const char* name : {"requests_open", "requests_waiting", "image_bytes_open", "batches_open",
                           "tasks_outstanding", "collages_outstanding", "correctable"}) {
    at_most(*broker_, name, 0, now);
  }
  for (const auto& [sink, gauges] : sinks_) at_most(gauges, "batches_open", 0, now);
  for (const char* name : {"workers_lost", "workers_refused", "bad_messages"}) {
    if (calm_) at_most(*broker_, name, read(*calm_, name), now);
  }
}

}  // namespace replay::sim
