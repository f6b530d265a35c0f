// Figures as text, in Prometheus' exposition format 0.0.4.
#pragma once

#include <string>
#include <vector>

#include "wire/report.h"

namespace runtime {

// Samples of one name stand together, whichever report they came in; of two helps the first holds.
// Requires that a name has one kind throughout.
std::string exposition(const std::vector<wire::Metric>& metrics);

}  // namespace runtime
