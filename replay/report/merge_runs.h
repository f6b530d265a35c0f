// Merges runs of one scenario under different policies into one run.
#pragma once

#include <filesystem>
#include <vector>

#include "replay/report/summary.h"

namespace replay::report {

// Writes the events of the runs in `folders`, in their order, as `out`/events.csv.gz and returns
// the summary of the merged run.  Inference times and machine are those of the first run.  Throws
// std::runtime_error, and writes nothing, if a folder has no run (run_file.h), if its run differs
// from the first in scenario, mode, seed, commit or size of batch, or if two runs have a policy in
// common.  Requires at least one folder.
Summary merge_runs(const std::vector<std::filesystem::path>& folders,
                   const std::filesystem::path& out);

}  // namespace replay::report
