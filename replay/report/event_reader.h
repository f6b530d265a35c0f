// Reads the event files that events.h writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "replay/report/summary.h"

namespace replay::report {

// The file is no event file, or is incomplete.  The text is FILE:LINE: what is wrong.
class EventError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The runs of an event file in its order, one for each policy, with their figures.  `seed` is that
// of the bootstrap intervals, `slots` the number of images in a batch (not 0).  The file does not
// contain the work that was spent.
// Throws EventError.
std::vector<PolicyRun> read_events(const std::filesystem::path& file, std::uint64_t seed,
                                   std::size_t slots);

}  // namespace replay::report
