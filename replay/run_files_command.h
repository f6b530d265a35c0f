// The folder of a run: everything that is made of a summary, for people and for programs.
#pragma once

#include <filesystem>

#include "replay/report/summary.h"

namespace replay {

// Writes run.json, summary.json, summary.csv and report.html, each by rename, and prints the table
// and where the files are.  Throws std::runtime_error.
void write_run(const std::filesystem::path& folder, const report::Summary& summary);

}  // namespace replay
