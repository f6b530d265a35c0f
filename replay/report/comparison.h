// Compares finished runs.
#pragma once

#include <string>
#include <vector>

#include "replay/report/summary.h"

namespace replay::report {

// A run and its name in the comparison.
struct Compared {
  std::string name;
  Summary summary;
};

// All runs as one summary for one page, in which each policy is named "<policy>, <run>".
Summary merged(const std::vector<Compared>& runs);

// A table for a terminal of 80 columns: each policy of the first run with the same policy of the
// others.  The figures are those of batches if all runs have batches, otherwise those of answered
// images; below the table stands who has not answered all of them.
// Ratios are to the first run; a `*` marks 95 % intervals of p99 that do not overlap.  Requires at
// least one run.
std::string comparison_table(const std::vector<Compared>& runs);

}  // namespace replay::report
