// Reads what events.h writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "replay/report/summary.h"

namespace replay::report {

// A file that is no event log, or not a whole one: FILE:LINE: what is wrong.
class EventError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The runs of an events file, a policy each, in its order, with their figures; `seed` is that of
// the intervals, `slots` (not 0) the images of a batch.  What work they took is not in the file.
// Throws EventError.
std::vector<PolicyRun> read_events(const std::filesystem::path& file, std::uint64_t seed,
                                   std::size_t slots);

}  // namespace replay::report
