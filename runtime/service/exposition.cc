#include "runtime/service/exposition.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

#include "wire/check.h"

namespace runtime {
namespace {

prometheus::MetricType type_of(machine::Metric::Kind kind) {
  switch (kind) {
    case machine::Metric::Kind::counter:
      return prometheus::MetricType::Counter;
    case machine::Metric::Kind::histogram:
      return prometheus::MetricType::Histogram;
    case machine::Metric::Kind::gauge:
      break;
  }
  return prometheus::MetricType::Gauge;
}

prometheus::ClientMetric::Histogram buckets_of(const machine::Histogram& histogram) {
  prometheus::ClientMetric::Histogram out;
  out.sample_count = histogram.count();
  out.sample_sum = wire::to_seconds(histogram.sum());
  std::uint64_t cumulative = 0;  // A Prometheus bucket also counts the buckets below it.
  for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
    cumulative += histogram.counts()[i];
    const double bound = i < machine::Histogram::kBounds.size()
                             ? machine::Histogram::kBounds[i] / 1000.0  // Milliseconds to seconds.
                             : std::numeric_limits<double>::infinity();
    out.bucket.push_back({cumulative, bound});
  }
  return out;
}

prometheus::ClientMetric metric_of(machine::Metric::Kind kind,
                                   const machine::Metric::Sample& sample) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : sample.labels) out.label.push_back({name, value});
  if (const auto* histogram = std::get_if<machine::Histogram>(&sample.value)) {
    out.histogram = buckets_of(*histogram);
  } else if (kind == machine::Metric::Kind::counter) {
    out.counter.value = std::get<double>(sample.value);
  } else {
    out.gauge.value = std::get<double>(sample.value);
  }
  return out;
}

}  // namespace

std::string exposition(const std::vector<machine::Metric>& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const machine::Metric& metric : metrics) {
    // The parts of a process report metrics of the same name; the format allows a name only once.
    auto family = std::ranges::find(families, metric.name, &prometheus::MetricFamily::name);
    if (family == families.end()) {
      families.push_back({metric.name, metric.help, type_of(metric.kind), {}});
      family = std::prev(families.end());
    }
    COLLAGE_CHECK(family->type == type_of(metric.kind));
    for (const machine::Metric::Sample& sample : metric.samples) {
      family->metric.push_back(metric_of(metric.kind, sample));
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace runtime
