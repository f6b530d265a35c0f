// The folder of a run: everything that is made of a summary, for people and for programs.
#pragma once

#include <filesystem>

#include "replay/report/summary.h"

namespace replay {

// Writes run.json, which with the events beside it is the run, and what write_report() does.
void write_run(const std::filesystem::path& folder, const report::Summary& summary);

// Writes summary.json, summary.csv and report.html, each by rename.  Throws std::runtime_error.
void write_report(const std::filesystem::path& folder, const report::Summary& summary);

// The table, and where the files are, on standard output.
void print_report(const std::filesystem::path& folder, const report::Summary& summary);

}  // namespace replay
