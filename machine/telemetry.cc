#include "machine/telemetry.h"

#include <algorithm>

namespace machine {

void Histogram::observe(wire::Duration duration) {
  // A linear search is enough for 21 bounds.
  const auto above = std::ranges::find_if(
      kBounds, [duration](int bound) { return duration <= std::chrono::milliseconds(bound); });
  counts_[static_cast<std::size_t>(above - kBounds.begin())] += 1;
  count_ += 1;
  sum_ += duration;
}

void Telemetry::counter(std::string name, std::string help, std::uint64_t value) {
  metrics.push_back({std::move(name),
                     std::move(help),
                     Metric::Kind::counter,
                     {{{}, static_cast<double>(value)}}});
}

void Telemetry::gauge(std::string name, std::string help, double value) {
  metrics.push_back({std::move(name), std::move(help), Metric::Kind::gauge, {{{}, value}}});
}

void Telemetry::histogram(std::string name, std::string help, const Histogram& value) {
  metrics.push_back({std::move(name), std::move(help), Metric::Kind::histogram, {{{}, value}}});
}

void Telemetry::counters(std::string name, std::string help, std::string_view label,
                         std::initializer_list<Value> values) {
  Metric metric{std::move(name), std::move(help), Metric::Kind::counter, {}};
  for (const auto& [value, figure] : values) {
    metric.samples.push_back(
        {{{std::string(label), std::string(value)}}, static_cast<double>(figure)});
  }
  metrics.push_back(std::move(metric));
}

void Telemetry::dropped(std::initializer_list<Value> reasons) {
  counters(std::string(kDroppedMetric), std::string(kDroppedHelp), "reason", reasons);
}

}  // namespace machine
