// Runs of one scenario as one run: what was measured policy after policy, a program run each.
#pragma once

#include <filesystem>
#include <vector>

#include "replay/report/summary.h"

namespace replay::report {

// Writes the events of the runs in `folders`, in their order, as `out`/events.csv.gz and returns
// the whole, of which run.json is made; inference times and machine are those of the first.  Throws
// std::runtime_error, and writes nothing, if a folder has no run (run_file.h), if it is one of
// another scenario, mode, seed, commit or size of batch than the first, or if two have a policy in
// common.  Requires a folder.
Summary join(const std::vector<std::filesystem::path>& folders, const std::filesystem::path& out);

}  // namespace replay::report
