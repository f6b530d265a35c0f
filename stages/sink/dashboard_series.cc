// The fifteen minutes of the page's strips, as one column for each series.
#include <array>
#include <cmath>
#include <utility>

#include "stages/sink/dashboard.h"
#include "stages/sink/dashboard_json.h"

namespace stages::sink {
namespace {

using Counts = History::Counts;
using Column = std::pair<const char*, std::uint64_t Counts::*>;

constexpr std::array kRates = {
    Column{"single", &Counts::single},     Column{"hedge", &Counts::hedge},
    Column{"collage", &Counts::collage},   Column{"brownout", &Counts::brownout},
    Column{"missing", &Counts::missing},   Column{"refused", &Counts::refused},
    Column{"rejected", &Counts::rejected},
};

double rounded(double value) { return std::round(1e4 * value) / 1e4; }

Json quantiles_json(const History& history, History::Quantiles History::Sample::*which) {
  Json p50 = Json::array(), p95 = Json::array(), p99 = Json::array();
  for (const History::Sample& sample : history.samples()) {
    const History::Quantiles& quantiles = sample.*which;
    const bool any = quantiles.count > 0;
    p50.push_back(any ? Json(rounded(wire::to_seconds(quantiles.p50))) : Json());
    p95.push_back(any ? Json(rounded(wire::to_seconds(quantiles.p95))) : Json());
    p99.push_back(any ? Json(rounded(wire::to_seconds(quantiles.p99))) : Json());
  }
  return {{"p50_s", std::move(p50)}, {"p95_s", std::move(p95)}, {"p99_s", std::move(p99)}};
}

// The share of `part` in `whole`; null where there is no whole.
Json share(double part, double whole) { return whole > 0 ? Json(rounded(part / whole)) : Json(); }

}  // namespace

std::string history_json(const Sink& sink, wire::Instant now) {
  const History& history = sink.dashboard().history();
  const double seconds = wire::to_seconds(history.interval());
  const auto slots = static_cast<double>(sink.broker().figure("batch_slots"));
  Json json = {{"interval_s", seconds}};
  json["ago_s"] = Json::array();
  for (const History::Sample& sample : history.samples()) {
    json["ago_s"].push_back(rounded(wire::to_seconds(now - sample.end)));
  }
  for (const auto& [name, member] : kRates) {
    Json column = Json::array();
    for (const History::Sample& sample : history.samples()) {
      column.push_back(rounded(static_cast<double>(sample.counts.*member) / seconds));
    }
    json["per_second"][name] = std::move(column);
  }
  json["with"] = quantiles_json(history, &History::Sample::with);
  json["without"] = quantiles_json(history, &History::Sample::without);
  json["fill"] = json["uncovered"] = Json::array();
  for (const History::Sample& sample : history.samples()) {
    const Counts& counts = sample.counts;
    json["fill"].push_back(
        share(static_cast<double>(counts.images), static_cast<double>(counts.covered) * slots));
    json["uncovered"].push_back(
        share(static_cast<double>(counts.uncovered), static_cast<double>(counts.batches)));
  }
  return json.dump();
}

}  // namespace stages::sink
