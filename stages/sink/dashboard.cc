#include "stages/sink/dashboard.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "machine/quantile.h"
#include "machine/trace.h"

namespace stages::sink {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kBatchesShown = 12;

std::string name_of(const std::vector<std::string>& labels, wire::ClassId label) {
  return label.value < labels.size() ? labels[label.value] : std::to_string(label.value);
}

std::string state_of(const DashboardState::Slot& slot) {
  switch (slot.state) {
    case DashboardState::Slot::State::settled:
      return std::string(to_string(slot.source));
    case DashboardState::Slot::State::rejected:
      return "rejected";
    case DashboardState::Slot::State::blank:
      return "blank";
    case DashboardState::Slot::State::closed:
      return "closed";
    case DashboardState::Slot::State::waiting:
      break;
  }
  return "waiting";
}

Json slot_json(const DashboardState::Slot& slot, const std::vector<std::string>& labels,
               wire::Instant now) {
  Json json = {{"state", state_of(slot)}};
  if (slot.state == DashboardState::Slot::State::settled) {
    json["label"] = name_of(labels, slot.answer.label);
    json["probability"] = slot.answer.probability;
  }
  if (slot.admitted && slot.state != DashboardState::Slot::State::blank) {
    json["age_s"] = wire::to_seconds(slot.settled.value_or(now) - *slot.admitted);
  }
  // The class of the single answer, which came after the collage had settled the slot.
  if (slot.source == wire::Source::collage && slot.single) {
    json["late"] = name_of(labels, *slot.single);
  }
  return json;
}

Json batches_json(const DashboardState& state, const std::vector<std::string>& labels,
                  wire::Instant now) {
  Json json = Json::array();
  const auto& batches = state.batches();
  const std::size_t shown = std::min(kBatchesShown, batches.size());
  for (auto batch = batches.end() - static_cast<std::ptrdiff_t>(shown); batch != batches.end();
       ++batch) {
    Json slots = Json::array();
    for (const DashboardState::Slot& slot : batch->slots)
      slots.push_back(slot_json(slot, labels, now));
    json.push_back({{"number", batch->id.sequence.value},
                    {"state", batch->all_settled ? "answered"
                              : batch->sealed    ? "sealed"
                                                 : "open"},
                    {"slots", std::move(slots)}});
  }
  return json;
}

double quantile_s(std::span<const wire::Duration> sorted, double q) {
  return wire::to_seconds(machine::quantile(sorted, q));
}

Json quantiles_json(const std::deque<wire::Duration>& times) {
  Json json = {{"count", times.size()}};
  if (times.empty()) return json;
  std::vector<wire::Duration> sorted(times.begin(), times.end());
  std::ranges::sort(sorted);
  json["p50_s"] = quantile_s(sorted, 0.5);
  json["p95_s"] = quantile_s(sorted, 0.95);
  json["p99_s"] = quantile_s(sorted, 0.99);
  json["max_s"] = wire::to_seconds(sorted.back());
  return json;
}

Json latencies_json(const DashboardState::Latencies& latencies) {
  Json json = quantiles_json(latencies.times);
  machine::Histogram histogram;
  for (const wire::Duration time : latencies.times) histogram.observe(time);
  json["counts"] = histogram.counts();
  json["never"] = latencies.never;
  return json;
}

Json workers_json(const DashboardState& state, wire::Instant now) {
  Json json = Json::array();
  for (const auto& [id, worker] : state.workers()) {
    Json one = quantiles_json(worker.ages);
    one["id"] = machine::short_name(id);
    one["kind"] = worker.collage ? "collage" : "classifier";
    one["answers"] = worker.answers;
    one["heard_s"] = wire::to_seconds(now - worker.heard);
    json.push_back(std::move(one));
  }
  return json;
}

// "name" or "name{label=value,...}" to figure; histograms are left to /metrics.
Json figures_json(const machine::Telemetry& report) {
  Json json = Json::object();
  for (const machine::Metric& metric : report.metrics) {
    for (const machine::Metric::Sample& sample : metric.samples) {
      const auto* figure = std::get_if<double>(&sample.value);
      if (!figure) continue;
      std::string labels;
      for (const auto& [name, value] : sample.labels) {
        labels += (labels.empty() ? "" : ",") + name + "=" + value;
      }
      json[labels.empty() ? metric.name : metric.name + "{" + labels + "}"] = *figure;
    }
  }
  return json;
}

}  // namespace

std::string dashboard_json(const Sink& sink, const std::vector<std::string>& labels,
                           wire::Instant now) {
  const DashboardState& state = sink.dashboard();
  const machine::Telemetry report = sink.telemetry();
  std::vector<double> bounds;
  for (const int bound : machine::Histogram::kBounds) bounds.push_back(bound / 1000.0);
  const Json json = {{"lacks", report.not_ready_reasons},
                     {"figures", figures_json(report)},
                     {"batches", batches_json(state, labels, now)},
                     {"bounds_s", bounds},
                     {"with", latencies_json(state.with_collage())},
                     {"without", latencies_json(state.without_collage())},
                     {"workers", workers_json(state, now)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace stages::sink
