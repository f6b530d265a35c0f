// One table of a machine's figures, from which both its Status and its metrics are made.
//
// A figure is written once, with all of its names:
//
//     constexpr Figure<Counters> kFigures[] = {
//         counter<Counters>([](const Counters& c) { return c.batches; },
//                           "batches", "collage_batches_total", "Batches opened."),
//         dropped<Counters>([](const Counters& c) { return c.late; }, "", "late"),
//     };
//
// `status` is its name in a Status (empty: not there) and `metric` its name for Prometheus (empty:
// not there).  Rows of one metric differ by the value of one label.  Names are string literals.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "machine/telemetry.h"
#include "wire/message.h"

namespace machine {

template <class Owner>
struct Figure {
  using Read = std::uint64_t (*)(const Owner&);

  Read read = nullptr;
  Metric::Kind kind = Metric::Kind::counter;  // counter or gauge.
  std::string_view status;
  std::string_view metric;
  std::string_view help;
  std::string_view label;  // Empty for a metric with one figure.
  std::string_view value;  // The label's value.
};

template <class Owner>
constexpr Figure<Owner> counter(typename Figure<Owner>::Read read, std::string_view status,
                                std::string_view metric, std::string_view help,
                                std::string_view label = {}, std::string_view value = {}) {
  return {read, Metric::Kind::counter, status, metric, help, label, value};
}

template <class Owner>
constexpr Figure<Owner> gauge(typename Figure<Owner>::Read read, std::string_view status,
                              std::string_view metric, std::string_view help,
                              std::string_view label = {}, std::string_view value = {}) {
  return {read, Metric::Kind::gauge, status, metric, help, label, value};
}

// What came and was dropped: every drop has a reason, and is counted.
template <class Owner>
constexpr Figure<Owner> dropped(typename Figure<Owner>::Read read, std::string_view status,
                                std::string_view reason) {
  return counter<Owner>(read, status, kDroppedMetric, kDroppedHelp, "reason", reason);
}

// Returns the figures that have a name in a Status, in the table's order.
template <class Owner>
wire::Status status_of(std::span<const Figure<Owner>> table, const Owner& owner) {
  wire::Status status;
  for (const Figure<Owner>& figure : table) {
    if (figure.status.empty()) continue;
    status.counters.push_back({std::string(figure.status), figure.read(owner)});
  }
  return status;
}

// Appends the metrics of the table to a report; a metric stands where its first row does.
template <class Owner>
void add_metrics(std::span<const Figure<Owner>> table, const Owner& owner, Telemetry& report) {
  for (const Figure<Owner>& figure : table) {
    if (figure.metric.empty()) continue;
    auto metric = std::ranges::find(report.metrics, figure.metric, &Metric::name);
    if (metric == report.metrics.end()) {
      report.metrics.push_back(
          {std::string(figure.metric), std::string(figure.help), figure.kind, {}});
      metric = std::prev(report.metrics.end());
    }
    Metric::Labels labels;
    if (!figure.label.empty()) labels = {{std::string(figure.label), std::string(figure.value)}};
    metric->samples.push_back({std::move(labels), static_cast<double>(figure.read(owner))});
  }
}

}  // namespace machine
