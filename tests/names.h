// The names under which a machine shows its figures, as text to compare with a golden list.
#pragma once

#include <set>
#include <string>

#include "machine/telemetry.h"
#include "wire/message.h"

// The counters of a Status, one a line, in their order on the wire.
inline std::string names(const wire::Status& status) {
  std::string out = "\n";
  for (const wire::Counter& counter : status.counters) out += counter.name + "\n";
  return out;
}

// The series of a report, one a line, sorted: "counter collage_hedges_withheld_total reason=rate".
inline std::string names(const machine::Telemetry& report) {
  std::set<std::string> lines;
  for (const machine::Metric& metric : report.metrics) {
    const std::string kind = metric.kind == machine::Metric::Kind::counter ? "counter"
                             : metric.kind == machine::Metric::Kind::gauge ? "gauge"
                                                                           : "histogram";
    for (const machine::Metric::Sample& sample : metric.samples) {
      std::string line = kind + " " + metric.name;
      for (const auto& [label, value] : sample.labels) line += " " + label + "=" + value;
      lines.insert(line);
    }
  }
  std::string out = "\n";
  for (const std::string& line : lines) out += line + "\n";
  return out;
}
