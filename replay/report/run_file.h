// A finished run on disk, so that its report can be made again, or beside another's.
//
//     events.csv.gz   what happened (events.h)
//     run.json        all that does not follow from the events: what was run, on what, the work it
//                     took, the pictures of the examples
#pragma once

#include <filesystem>
#include <string>

#include "replay/report/summary.h"
#include "wire/payload.h"

namespace replay::report {

// The text of run.json.
std::string to_run_file(const Summary& summary);

// The run of a folder that has both files, with figures anew from its events.  Throws
// std::runtime_error with one line that names the file: not there, damaged, or not of one run.
Summary read_run(const std::filesystem::path& folder);

// "data:image/png;base64,...": how pictures are kept.
std::string picture_of(const wire::Payload& png);

}  // namespace replay::report
