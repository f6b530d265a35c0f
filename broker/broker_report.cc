// What the broker tells of itself: counters to whoever probes, figures to whoever drives it.
#include "broker/broker.h"

namespace broker {
namespace {

using Labels = machine::Metric::Labels;
using Kind = machine::Metric::Kind;

machine::Metric durations(const std::array<machine::Histogram, 4>& latencies) {
  machine::Metric metric{
      "collage_request_duration_seconds",
      "From admission to the result, by the source of the answer; none: missing, "
      "rejected or cancelled.",
      Kind::histogram,
      {}};
  for (std::size_t source = 0; source < latencies.size(); ++source) {
    const auto name = wire::to_string(static_cast<wire::Source>(source));
    metric.samples.push_back({Labels{{"source", std::string(name)}}, latencies[source]});
  }
  return metric;
}

void add_roster(machine::Metric& workers, const std::string& role, const Roster& roster) {
  const auto add = [&](const char* state, std::size_t count) {
    workers.samples.push_back(
        {Labels{{"role", role}, {"state", state}}, static_cast<double>(count)});
  };
  const Roster::Standing standing = roster.standing();
  add("well", standing.well);
  add("suspect", standing.suspect);
  add("probation", standing.probation);
  add("leaving", standing.leaving);
}

void add_by_role(machine::Telemetry& report, const char* name, const char* help, double classifiers,
                 double assemblers) {
  report.metrics.push_back({name,
                            help,
                            Kind::gauge,
                            {{Labels{{"role", "classifier"}}, classifiers},
                             {Labels{{"role", "assembler"}}, assemblers}}});
}

}  // namespace

wire::Status Broker::status() const {
  const Dispatcher::Counters& d = dispatcher_.counters();
  const Roster& classifiers = dispatcher_.roster();
  const Counters& c = counters_;
  return {{
      {"requests_admitted", c.admitted},
      {"requests_open", ledger_.open_requests()},
      {"requests_waiting", dispatcher_.waiting()},
      {"image_bytes_open", ledger_.open_bytes()},
      {"answered_single", c.answered_single},
      {"answered_collage", c.answered_collage},
      {"answered_hedge", c.answered_hedge},
      {"missing", c.missing},
      {"rejected", c.rejected},
      {"refused", c.refused},
      {"cancelled", c.cancelled},
      {"cancels_unknown", c.cancels_unknown},
      {"batches", c.batches},
      {"batches_open", ledger_.batches().size()},
      {"batches_uncovered", c.batches_uncovered},
      {"tasks_dispatched", d.dispatched},
      {"tasks_outstanding", classifiers.outstanding()},
      {"collages_outstanding", assemblers_.outstanding()},
      {"tasks_redispatched", c.redispatched},
      {"hedges", d.hedges},
      {"hedges_no_rate", d.hedges_no_rate},
      {"hedges_no_worker", d.hedges_no_worker},
      {"probes", d.probes},
      {"settled_twice", c.settled_twice},
      {"settled_stale", c.settled_stale},
      {"settled_bad", c.settled_bad},
      {"results_undelivered", c.results_undelivered},
      {"correctable", corrections_.size()},
      {"corrections", c.corrections},
      {"corrections_unwanted", c.corrections_unwanted},
      {"corrections_forgotten", c.corrections_forgotten},
      {"corrections_undelivered", c.corrections_undelivered},
      {"producers", sessions_.size()},
      {"classifiers", classifiers.size()},
      {"classifiers_suspect", classifiers.suspects()},
      {"classifiers_on_probation", classifiers.on_probation()},
      {"assemblers", assemblers_.size()},
      {"assemblers_on_probation", assemblers_.on_probation()},
      {"sinks", sink_ ? 1u : 0u},
      {"workers_lost", c.workers_lost},
      {"workers_refused", c.workers_refused},
      {"bad_messages", c.bad_messages},
      {"patience_ns", static_cast<std::uint64_t>(service_.patience.count())},
      {"service_p95_ns", static_cast<std::uint64_t>(service_.p95.count())},
      {"service_p99_ns", static_cast<std::uint64_t>(service_.p99.count())},
  }};
}

machine::Telemetry Broker::telemetry() const {
  machine::Telemetry report;
  report_requests(report);
  report_tasks(report);
  report_workers(report);
  if (!sink_) report.not_ready_reasons.push_back("no sink: nobody chooses answers");
  if (dispatcher_.roster().size() == 0) report.not_ready_reasons.push_back("no classifier");
  if (drain_until_) report.not_ready_reasons.push_back("draining");
  return report;
}

void Broker::report_requests(machine::Telemetry& report) const {
  const Counters& c = counters_;
  report.counter("collage_requests_admitted_total", "Requests admitted.", c.admitted);
  report.counters("collage_requests_total", "Requests that had their result, by what it was.",
                  "result",
                  {{"single", c.answered_single},
                   {"hedge", c.answered_hedge},
                   {"collage", c.answered_collage},
                   {"missing", c.missing},
                   {"rejected", c.rejected},
                   {"refused", c.refused},
                   {"cancelled", c.cancelled}});
  report.metrics.push_back(durations(latencies_));
  report.gauge("collage_requests_open", "Requests admitted and not answered.",
               static_cast<double>(ledger_.open_requests()));
  report.gauge("collage_requests_waiting", "Tasks that wait for a free classifier.",
               static_cast<double>(dispatcher_.waiting()));
  report.gauge("collage_image_bytes_open", "Bytes of the images of open requests.",
               static_cast<double>(ledger_.open_bytes()));
  report.counter("collage_corrections_total", "Corrections sent to producers.", c.corrections);
  report.gauge("collage_correctable", "Answers by collages that may still be corrected.",
               static_cast<double>(corrections_.size()));
  report.gauge("collage_producers", "Producers known.", static_cast<double>(sessions_.size()));
  report.dropped({{"settled_twice", c.settled_twice},
                  {"settled_stale", c.settled_stale},
                  {"settled_bad", c.settled_bad},
                  {"result_undelivered", c.results_undelivered},
                  {"cancel_unknown", c.cancels_unknown},
                  {"correction_unwanted", c.corrections_unwanted},
                  {"correction_forgotten", c.corrections_forgotten},
                  {"correction_undelivered", c.corrections_undelivered},
                  {"bad_message", c.bad_messages}});
}

void Broker::report_tasks(machine::Telemetry& report) const {
  const Dispatcher::Counters& d = dispatcher_.counters();
  report.counter("collage_batches_total", "Batches opened.", counters_.batches);
  report.counter("collage_batches_uncovered_total", "Batches that no collage is made of.",
                 counters_.batches_uncovered);
  report.gauge("collage_batches_open", "Batches with a slot to be answered.",
               static_cast<double>(ledger_.batches().size()));
  report.counter("collage_tasks_dispatched_total", "Tasks given to classifiers, hedges included.",
                 d.dispatched);
  report.counter("collage_tasks_redispatched_total", "Tasks given again: their worker was lost.",
                 counters_.redispatched);
  report.counter("collage_hedges_total", "Second tasks for late requests.", d.hedges);
  report.counters("collage_hedges_withheld_total", "Late requests without a hedge.", "reason",
                  {{"rate", d.hedges_no_rate}, {"no_worker", d.hedges_no_worker}});
  report.counter("collage_probes_total", "Copies of tasks given to workers on probation.",
                 d.probes);
}

void Broker::report_workers(machine::Telemetry& report) const {
  const Roster& classifiers = dispatcher_.roster();
  machine::Metric workers{"collage_workers", "Workers that have joined.", Kind::gauge, {}};
  add_roster(workers, "classifier", classifiers);
  add_roster(workers, "assembler", assemblers_);
  workers.samples.push_back({Labels{{"role", "sink"}, {"state", "well"}}, sink_ ? 1.0 : 0.0});
  report.metrics.push_back(std::move(workers));
  add_by_role(report, "collage_tasks_in_flight", "Tasks (assemblers: batches) given and not done.",
              static_cast<double>(classifiers.outstanding()),
              static_cast<double>(assemblers_.outstanding()));
  add_by_role(report, "collage_credit", "Tasks (assemblers: batches) that could be given now.",
              static_cast<double>(classifiers.standing().credit),
              static_cast<double>(assemblers_.standing().credit));
  report.counter("collage_workers_lost_total", "Workers that fell silent or lost their connection.",
                 counters_.workers_lost);
  report.counter("collage_workers_refused_total", "Workers whose hello was refused.",
                 counters_.workers_refused);
  report.gauge("collage_patience_seconds", "Time given to single answers, as the sink told.",
               wire::to_seconds(service_.patience));
  report.gauge("collage_service_p95_seconds", "95 % of service times, as the sink has learned.",
               wire::to_seconds(service_.p95));
  report.gauge("collage_service_p99_seconds", "99 % of service times, as the sink has learned.",
               wire::to_seconds(service_.p99));
}

}  // namespace broker
