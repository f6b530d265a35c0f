// Finished runs side by side.
#pragma once

#include <string>
#include <vector>

#include "replay/report/summary.h"

namespace replay::report {

// A run and the name it is given beside the others.
struct Compared {
  std::string name;
  Summary summary;
};

// All of them as one summary for one page: each policy is named "<policy>, <run>".
Summary merged(const std::vector<Compared>& runs);

// For a terminal of 80 columns: each policy of the first run with the same of the others, batches
// if all runs have them and else images; ratios are to the first, and a `*` says that the 95 %
// intervals of p99 do not overlap.  Requires a run.
std::string comparison_table(const std::vector<Compared>& runs);

}  // namespace replay::report
