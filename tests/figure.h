// Looks a figure up in what a machine reports.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "wire/report.h"

// The sample of that name and exactly those labels: its value, or a histogram's count.
inline double figure(const wire::Report& report, std::string_view name,
                     const wire::Metric::Labels& labels = {}) {
  for (const wire::Metric& metric : report.metrics) {
    if (metric.name != name) continue;
    for (const wire::Metric::Sample& sample : metric.samples) {
      if (sample.labels != labels) continue;
      const auto* histogram = std::get_if<wire::Histogram>(&sample.value);
      return histogram ? static_cast<double>(histogram->count()) : std::get<double>(sample.value);
    }
  }
  ADD_FAILURE() << "no figure is called " << name << " with these labels";
  return -1;
}
