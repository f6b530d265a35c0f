// A finished run on disk, from which its report, or a comparison with other runs, can be made
// again.
//
//     events.csv.gz   the events of the run (events.h)
//     run.json        everything else: the scenario, the machine, the work that was spent, the
//                     pictures of the examples, the figures by load, second and producer
//
// The events of a sweep are not kept: its events.csv.gz has no policy.
#pragma once

#include <filesystem>
#include <string>

#include "replay/report/summary.h"
#include "wire/payload.h"

namespace replay::report {

// The text of run.json.
std::string to_run_file(const Summary& summary);

// Reads the run of a folder that has both files and computes its figures from the events.  Throws
// std::runtime_error with one line that names the file if one is missing or damaged, or if the two
// belong to different runs.
Summary read_run(const std::filesystem::path& folder);

// A picture as text: "data:image/png;base64,...".
std::string picture_of(const wire::Payload& png);

}  // namespace replay::report
