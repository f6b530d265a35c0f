// Results and their latencies by the version of the model that answered.
//
// A release shows here beside the one before.  Pure; at most version_max versions are kept apart,
// and what comes beyond them is counted as "other".
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>

#include "machine/telemetry.h"
#include "wire/message.h"

namespace broker {

class VersionFigures {
 public:
  explicit VersionFigures(std::size_t version_max = 16) : version_max_(version_max) {}

  // Counts an answer; a result without a model's version is none.
  void observe(const std::string& version, wire::Source source, wire::Duration latency);
  // Adds collage_model_answer_duration_seconds{version, source}, whose counts are the results.
  void report(machine::Telemetry& report) const;

 private:
  const std::size_t version_max_;
  std::map<std::string, std::array<machine::Histogram, 4>> versions_;  // By wire::Source.
};

}  // namespace broker
