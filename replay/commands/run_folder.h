// The folder of a run: the files that are made from its summary.
#pragma once

#include <filesystem>

#include "replay/report/summary.h"

namespace replay {

// Writes run.json, which together with events.csv.gz is the record of the run, and the files of
// write_report().
void write_run(const std::filesystem::path& folder, const report::Summary& summary);

// Writes summary.json, summary.csv and report.html, each atomically.  Throws std::runtime_error.
void write_report(const std::filesystem::path& folder, const report::Summary& summary);

// Prints the table and the paths of the files to standard output.
void print_report(const std::filesystem::path& folder, const report::Summary& summary);

// Whether anything ran.
bool has_results(const report::Summary& summary);

// A link from the report in the folder `from` to that of `other`, the run in the folder `to`.
report::SeeAlso see_also(const std::filesystem::path& from, const std::filesystem::path& to,
                         const report::Summary& other);

}  // namespace replay
