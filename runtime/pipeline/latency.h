// Reads the distribution of the service times that stages emulate: the section `emulation` of a
// pipeline, `latency` of a scenario.
//
//     source: quantiles    # quantiles, series, pareto or log-normal
//     file: table.csv      # quantiles: rows of quantile,seconds; series: rows of seconds, may be
//                          # gzipped
//     shape: 1.5           # pareto: the exponent
//     scale: 100ms         # pareto: the least time
//     median: 140ms        # log-normal
//     sigma: 0.4           # log-normal: standard deviation of the logarithm
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/config/document.h"
#include "wire/types.h"

namespace runtime {

struct Latency {
  enum class Source : std::uint8_t { quantiles, series, pareto, log_normal };
  Source source = Source::quantiles;
  std::filesystem::path file;
  double shape = 0;
  wire::Duration scale{};
  wire::Duration median{};
  double sigma = 0;
};

// Reads the keys above.  The file must exist; its path is relative to `folder`, or, if it begins
// with $COLLAGE_DATA/, to the folder that this variable names.  Throws ConfigError.
Latency read_latency(Section& section, const std::filesystem::path& folder);

// Returns the keys above with their values and with absolute paths, for pipeline_variant(), which
// needs the name of the section before each key.
std::vector<std::pair<std::string, std::string>> latency_keys(const Latency& latency);

// Reads a series of times: a file with the header `seconds` and one number per row, gzipped or not;
// comments and line ends as in quantiles.h.  Throws ConfigError, which names the file and the line,
// for another header, a row that is not one number from 0 to 86400, no rows, or more than
// 10,000,000.
std::vector<double> load_series(const std::filesystem::path& path);

}  // namespace runtime
