// Reads a latency distribution from a file of quantiles.
//
//     # Lines that begin with # are comments.
//     quantile,seconds
//     0,0.08356
//     0.5,0.13816
//     1,4.2
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "machine/random.h"

namespace runtime {

// Returns the rows of the file, values in seconds; they satisfy machine::QuantileTable::valid.
// Throws ConfigError, which names the line, for another header than above, a row that is not two
// finite numbers, seconds below 0 or above 86400, quantiles that do not rise from 0 to 1, and
// seconds that fall.  Empty lines are skipped; line ends may be CRLF.
std::vector<machine::QuantileTable::Row> load_quantiles(const std::filesystem::path& path);

// Like load_quantiles, but from text; `name` names it in errors.
std::vector<machine::QuantileTable::Row> parse_quantiles(const std::string& text,
                                                         const std::string& name);

}  // namespace runtime
