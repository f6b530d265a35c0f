#include "stages/sink/dashboard.h"

#include <algorithm>
#include <chrono>
#include <span>

#include "machine/quantile.h"
#include "stages/sink/dashboard_json.h"

namespace stages::sink {
namespace {

constexpr std::size_t kBatchesShown = 12;
constexpr double kTailStep = 1.1;  // The ratio of ranks that follow one another: 80 for 2,000.

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

// The share of answers that took longer, at ranks that are equally far apart on a logarithmic axis:
// [latency, share] from the quickest to the slowest.
Json tail_json(const DashboardState::Latencies& latencies) {
  Json points = Json::array();
  std::vector<wire::Duration> sorted(latencies.times.begin(), latencies.times.end());
  std::ranges::sort(sorted);
  const std::size_t count = sorted.size();
  std::size_t last = count;  // Of the answers that took as long or longer.
  for (double above = static_cast<double>(count); above >= 1; above /= kTailStep) {
    const auto rank = static_cast<std::size_t>(above);
    if (rank == last && !points.empty()) continue;
    last = rank;
    points.push_back({wire::to_seconds(sorted[count - rank]),
                      static_cast<double>(rank) / static_cast<double>(count)});
  }
  return points;
}

Json latencies_json(const DashboardState::Latencies& latencies) {
  Json json = quantiles_json(latencies.times);
  json["never"] = latencies.never;
  json["tail"] = tail_json(latencies);
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

Json headline_json(const Headline& line) {
  return {{"word", std::string(to_string(line.level))}, {"reasons", line.reasons}};
}

// What the last minute added, as a second's worth or as a share.
Json minute_json(const Sink& sink, wire::Instant now) {
  const History& history = sink.dashboard().history();
  const auto intervals = static_cast<std::size_t>(std::chrono::minutes(1) / history.interval());
  const History::Counts counts = history.recent(intervals);
  const double seconds = std::max(1.0, wire::to_seconds(history.recent_time(intervals, now)));
  const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
  const double answered = number(counts.answered());
  const double slots = number(counts.covered * sink.broker().figure("batch_slots"));
  const auto share = [](double part, double whole) {
    return whole > 0 ? Json(part / whole) : Json();
  };
  return {{"seconds", seconds},
          {"answered_per_s", answered / seconds},
          {"from_collage", share(number(counts.collage), answered)},
          {"brownout", share(number(counts.brownout), number(counts.ended()))},
          {"missing", counts.missing},
          {"refused", counts.refused},
          {"rejected", counts.rejected},
          {"ended", counts.ended()},
          {"fill", share(number(counts.images), slots)},
          {"uncovered", share(number(counts.uncovered), number(counts.batches))}};
}

Json picture_json(const Sink& sink, const std::vector<std::string>& labels, wire::Instant now) {
  Json json = {{"shown", sink.shows_pictures()}};
  const auto& picture = sink.picture();
  if (!picture) return json;
  json["number"] = picture->batch.sequence.value;
  json["width"] = picture->width;
  json["height"] = picture->height;
  json["channels"] = picture->channels;
  const auto& batches = sink.dashboard().batches();
  const auto batch = std::ranges::find(batches, picture->batch, &DashboardState::Batch::id);
  if (batch == batches.end()) return json;  // It is older than the batches that are watched.
  for (const DashboardState::Slot& slot : batch->slots) {
    json["slots"].push_back(slot_json(slot, labels, now));
  }
  return json;
}

Json totals_json(const BrokerView& broker) {
  Json json = Json::object();
  for (const auto& [name, value] : broker.figures()) json[name] = value;
  return json;
}

}  // namespace

std::string name_of(const std::vector<std::string>& labels, wire::ClassId label) {
  return label.value < labels.size() ? labels[label.value] : std::to_string(label.value);
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

std::string dashboard_json(const Sink& sink, const std::vector<std::string>& labels,
                           wire::Instant now) {
  const DashboardState& state = sink.dashboard();
  const machine::Telemetry report = sink.telemetry();
  const Json json = {{"state", headline_json(sink.headline(now))},
                     {"minute", minute_json(sink, now)},
                     {"totals", totals_json(sink.broker())},
                     {"figures", figures_json(report)},
                     {"batches", batches_json(state, labels, now)},
                     {"picture", picture_json(sink, labels, now)},
                     {"with", latencies_json(state.with_collage())},
                     {"without", latencies_json(state.without_collage())},
                     {"workers", workers_json(sink, labels, now)},
                     {"workers_known", sink.broker().workers().size()}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string picture_bytes(const Sink& sink) {
  if (!sink.picture()) return {};
  std::string text;
  for (int shift = 56; shift >= 0; shift -= 8) {
    text += static_cast<char>(sink.picture()->batch.sequence.value >> shift);
  }
  const auto pixels = sink.picture()->picture.bytes();
  return text.append(pixels.begin(), pixels.end());
}

}  // namespace stages::sink
