// Reads what events.h writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "replay/report/summary.h"

namespace replay::report {

// The runs of an events file, a policy each, in its order, with their figures; `seed` is that of
// the intervals, `slots` the images of a batch.  What work they took is not in the file.  Throws
// std::runtime_error naming the file, and the line that cannot be read.
std::vector<PolicyRun> read_events(const std::filesystem::path& file, std::uint64_t seed,
                                   std::size_t slots);

}  // namespace replay::report
