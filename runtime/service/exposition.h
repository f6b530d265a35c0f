// Prints metrics in Prometheus' text exposition format, version 0.0.4.
#pragma once

#include <string>
#include <vector>

#include "machine/telemetry.h"

namespace runtime {

// Groups the samples by the name of their metric; if two metrics of one name differ in their help,
// the first help is printed.  Requires that all metrics of one name have the same kind.
std::string exposition(const std::vector<machine::Metric>& metrics);

}  // namespace runtime
