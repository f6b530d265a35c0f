// Figures as text, in Prometheus' exposition format 0.0.4.
#pragma once

#include <string>
#include <vector>

#include "machine/telemetry.h"

namespace runtime {

// Samples of one name stand together, whichever report they came in; of two helps the first holds.
// Requires that a name has one kind throughout.
std::string exposition(const std::vector<machine::Metric>& metrics);

}  // namespace runtime
