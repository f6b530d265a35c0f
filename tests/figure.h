// Looks a figure up in what a machine reports.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "machine/telemetry.h"

// The sample of that name and exactly those labels: its value, or a histogram's count.
inline double figure(const machine::Telemetry& report, std::string_view name,
                     const machine::Metric::Labels& labels = {}) {
  for (const machine::Metric& metric : report.metrics) {
    if (metric.name != name) continue;
    for (const machine::Metric::Sample& sample : metric.samples) {
      if (sample.labels != labels) continue;
      const auto* histogram = std::get_if<machine::Histogram>(&sample.value);
      return histogram ? static_cast<double>(histogram->count()) : std::get<double>(sample.value);
    }
  }
  ADD_FAILURE() << "no figure is called " << name << " with these labels";
  return -1;
}
