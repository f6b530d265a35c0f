// What the broker reports about itself: a Status for observers, metrics for its driver.
#include <string>
#include <utility>

#include "broker/broker.h"
#include "machine/figures.h"

namespace broker {
namespace {

using machine::counter;
using machine::dropped;
using machine::gauge;
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
  const Roster::Standing standing = roster.standing();
  for (const Roster::State state : Roster::kStates) {
    workers.samples.push_back(
        {Labels{{"role", role}, {"state", std::string(to_string(state))}},
         static_cast<double>(standing.workers[static_cast<std::size_t>(state)])});
  }
}

void add_by_role(machine::Telemetry& report, const char* name, const char* help,
                 std::size_t classifiers, std::size_t assemblers) {
  report.metrics.push_back({name,
                            help,
                            Kind::gauge,
                            {{Labels{{"role", "classifier"}}, static_cast<double>(classifiers)},
                             {Labels{{"role", "assembler"}}, static_cast<double>(assemblers)}}});
}

std::uint64_t nanoseconds(wire::Duration duration) {
  return static_cast<std::uint64_t>(duration.count());
}

constexpr const char* kResults = "collage_requests_total";
constexpr const char* kResultsHelp = "Requests that had their result, by what it was.";
constexpr const char* kWithheld = "collage_hedges_withheld_total";
constexpr const char* kWithheldHelp = "Late requests without a hedge.";

}  // namespace

// A row a figure.  What has labels of two kinds, or is a duration, is added by telemetry().
struct Broker::Figures {
  using B = Broker;
  static constexpr machine::Figure<B> kTable[] = {
      counter<B>([](const B& b) { return b.counters_.admitted; }, "requests_admitted",
                 "collage_requests_admitted_total", "Requests admitted."),
      gauge<B>([](const B& b) { return b.ledger_.open_requests(); }, "requests_open",
               "collage_requests_open", "Requests admitted and not answered."),
      gauge<B>([](const B& b) { return b.dispatcher_.waiting() + b.line_.size(); },
               "requests_waiting", "collage_requests_waiting", "Images that wait for a stage."),
      gauge<B>([](const B& b) { return b.ledger_.open_bytes(); }, "image_bytes_open",
               "collage_image_bytes_open", "Bytes of the images of open requests."),
      counter<B>([](const B& b) { return b.counters_.answered_single; }, "answered_single",
                 kResults, kResultsHelp, "result", "single"),
      counter<B>([](const B& b) { return b.counters_.answered_collage; }, "answered_collage",
                 kResults, kResultsHelp, "result", "collage"),
      counter<B>([](const B& b) { return b.counters_.answered_hedge; }, "answered_hedge", kResults,
                 kResultsHelp, "result", "hedge"),
      counter<B>([](const B& b) { return b.counters_.missing; }, "missing", kResults, kResultsHelp,
                 "result", "missing"),
      counter<B>([](const B& b) { return b.counters_.rejected; }, "rejected", kResults,
                 kResultsHelp, "result", "rejected"),
      counter<B>([](const B& b) { return b.counters_.refused; }, "refused", kResults, kResultsHelp,
                 "result", "refused"),
      counter<B>([](const B& b) { return b.counters_.cancelled; }, "cancelled", kResults,
                 kResultsHelp, "result", "cancelled"),
      counter<B>([](const B& b) { return b.counters_.superseded; }, "superseded", kResults,
                 kResultsHelp, "result", "superseded"),
      counter<B>([](const B& b) { return b.counters_.answered_brownout; }, "answered_brownout",
                 "collage_brownout_answers_total",
                 "Answers of collages for images that no classifier was given."),
      counter<B>([](const B& b) { return b.counters_.rescued; }, "rescued", "collage_rescued_total",
                 "Images of such collages given to a classifier after all."),
      counter<B>([](const B& b) { return b.counters_.withdrawn; }, "tasks_withdrawn",
                 "collage_tasks_withdrawn_total",
                 "Tasks taken back from stages: their images had been answered."),
      gauge<B>([](const B& b) { return std::uint64_t{b.overload_.on()}; }, "overloaded",
               "collage_overloaded", "1 while more images come than the classifiers can do."),
      counter<B>([](const B& b) { return b.counters_.overloads; }, "overloads",
                 "collage_overloads_total", "Times that overload began."),
      dropped<B>([](const B& b) { return b.counters_.cancels_unknown; }, "cancels_unknown",
                 "cancel_unknown"),
      counter<B>([](const B& b) { return b.counters_.batches; }, "batches", "collage_batches_total",
                 "Batches opened."),
      gauge<B>([](const B& b) { return b.ledger_.batches().size(); }, "batches_open",
               "collage_batches_open", "Batches with a slot to be answered."),
      counter<B>([](const B& b) { return b.counters_.batches_uncovered; }, "batches_uncovered",
                 "collage_batches_uncovered_total", "Batches for which no collage stage was free."),
      counter<B>([](const B& b) { return b.counters_.batches_covered; }, "batches_covered",
                 "collage_batches_covered_total", "Sealed batches that a collage is made of."),
      counter<B>([](const B& b) { return b.counters_.images_covered; }, "images_covered",
                 "collage_images_covered_total", "Images in such batches."),
      counter<B>([](const B& b) { return b.counters_.batches_moved; }, "batches_moved",
                 "collage_batches_moved_total",
                 "Batches given to another sink, for theirs was lost."),
      gauge<B>([](const B& b) { return std::uint64_t{b.slots_}; }, "batch_slots",
               "collage_batch_slots", "Images that fit into a batch."),
      counter<B>([](const B& b) { return b.dispatcher_.counters().dispatched; }, "tasks_dispatched",
                 "collage_tasks_dispatched_total", "Tasks given to classifiers, hedges included."),
      gauge<B>([](const B& b) { return b.dispatcher_.roster().outstanding(); }, "tasks_outstanding",
               "", ""),
      gauge<B>([](const B& b) { return b.covers_.roster().outstanding(); }, "collages_outstanding",
               "", ""),
      counter<B>([](const B& b) { return b.counters_.redispatched; }, "tasks_redispatched",
                 "collage_tasks_redispatched_total",
                 "Tasks given again: their worker or their answer was lost."),
      counter<B>([](const B& b) { return b.dispatcher_.counters().hedges; }, "hedges",
                 "collage_hedges_total", "Further tasks for late requests."),
      counter<B>([](const B& b) { return b.dispatcher_.counters().hedges_no_rate; },
                 "hedges_no_rate", kWithheld, kWithheldHelp, "reason", "rate"),
      counter<B>([](const B& b) { return b.dispatcher_.counters().hedges_no_worker; },
                 "hedges_no_worker", kWithheld, kWithheldHelp, "reason", "no_worker"),
      counter<B>([](const B& b) { return b.dispatcher_.counters().probes; }, "probes",
                 "collage_probes_total", "Copies of tasks given to workers on probation."),
      dropped<B>([](const B& b) { return b.counters_.settled_twice; }, "settled_twice",
                 "settled_twice"),
      dropped<B>([](const B& b) { return b.counters_.settled_stale; }, "settled_stale",
                 "settled_stale"),
      dropped<B>([](const B& b) { return b.counters_.settled_bad; }, "settled_bad", "settled_bad"),
      dropped<B>([](const B& b) { return b.counters_.results_undelivered; }, "results_undelivered",
                 "result_undelivered"),
      gauge<B>([](const B& b) { return b.corrections_.size(); }, "correctable",
               "collage_correctable", "Answers by collages that may still be corrected."),
      counter<B>([](const B& b) { return b.counters_.corrections; }, "corrections",
                 "collage_corrections_total", "Corrections sent to producers."),
      dropped<B>([](const B& b) { return b.counters_.corrections_unwanted; },
                 "corrections_unwanted", "correction_unwanted"),
      dropped<B>([](const B& b) { return b.counters_.corrections_forgotten; },
                 "corrections_forgotten", "correction_forgotten"),
      dropped<B>([](const B& b) { return b.counters_.corrections_undelivered; },
                 "corrections_undelivered", "correction_undelivered"),
      gauge<B>([](const B& b) { return b.sessions_.size(); }, "producers", "collage_producers",
               "Producers known."),
      gauge<B>([](const B& b) { return b.dispatcher_.roster().size(); }, "classifiers", "", ""),
      gauge<B>([](const B& b) { return b.dispatcher_.roster().suspects(); }, "classifiers_suspect",
               "", ""),
      gauge<B>([](const B& b) { return b.dispatcher_.roster().on_probation(); },
               "classifiers_on_probation", "", ""),
      gauge<B>([](const B& b) { return b.covers_.roster().size(); }, "assemblers", "", ""),
      gauge<B>([](const B& b) { return b.covers_.roster().on_probation(); },
               "assemblers_on_probation", "", ""),
      gauge<B>([](const B& b) { return std::uint64_t{b.sinks_.size()}; }, "sinks", "", ""),
      counter<B>([](const B& b) { return b.counters_.workers_lost; }, "workers_lost",
                 "collage_workers_lost_total",
                 "Workers that fell silent or lost their connection."),
      counter<B>([](const B& b) { return b.counters_.workers_refused; }, "workers_refused",
                 "collage_workers_refused_total", "Workers whose hello was refused."),
      counter<B>([](const B& b) { return b.counters_.producers_refused; }, "producers_refused",
                 "collage_producers_refused_total",
                 "Hellos of producers that were refused, because producer_max had joined."),
      dropped<B>([](const B& b) { return b.counters_.bad_messages; }, "bad_messages",
                 "bad_message"),
      gauge<B>([](const B& b) { return nanoseconds(b.service_.patience); }, "patience_ns", "", ""),
      gauge<B>([](const B& b) { return nanoseconds(b.service_.p95); }, "service_p95_ns", "", ""),
      gauge<B>([](const B& b) { return nanoseconds(b.service_.p99); }, "service_p99_ns", "", ""),
  };
};

wire::Status Broker::status() const { return machine::status_of<Broker>(Figures::kTable, *this); }

machine::Telemetry Broker::telemetry() const {
  machine::Telemetry report;
  machine::add_metrics<Broker>(Figures::kTable, *this, report);
  report.metrics.push_back(durations(latencies_));
  report_workers(report);
  report_worker_states(report);
  versions_.report(report);
  report.gauge("collage_patience_seconds", "Time given to single answers, as the sink reported.",
               wire::to_seconds(service_.patience));
  report.gauge("collage_service_p95_seconds",
               "The p95 of the ages of single answers, as the sink has learned it.",
               wire::to_seconds(service_.p95));
  report.gauge("collage_service_p99_seconds",
               "The p99 of the ages of single answers, as the sink has learned it.",
               wire::to_seconds(service_.p99));
  if (sinks_.size() == 0) report.not_ready_reasons.push_back("no sink: nobody chooses answers");
  if (dispatcher_.roster().size() == 0) report.not_ready_reasons.push_back("no classifier");
  if (drain_until_) report.not_ready_reasons.push_back("draining");
  return report;
}

void Broker::report_workers(machine::Telemetry& report) const {
  const Roster& classifiers = dispatcher_.roster();
  const Roster& assemblers = covers_.roster();
  machine::Metric workers{"collage_workers", "Workers that have joined.", Kind::gauge, {}};
  add_roster(workers, "classifier", classifiers);
  add_roster(workers, "assembler", assemblers);
  workers.samples.push_back(
      {Labels{{"role", "sink"}, {"state", "well"}}, static_cast<double>(sinks_.size())});
  report.metrics.push_back(std::move(workers));
  add_by_role(report, "collage_tasks_in_flight", "Tasks (assemblers: batches) given and not done.",
              classifiers.outstanding(), assemblers.outstanding());
  add_by_role(report, "collage_credit", "Tasks (assemblers: batches) that could be given now.",
              classifiers.standing().credit, assemblers.standing().credit);
}

}  // namespace broker
