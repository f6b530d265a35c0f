// Which service times stages replay: the section `emulation` of a pipeline, `latency` of a
// scenario.
//
//     source: quantiles    # quantiles, series, pareto, log-normal
//     file: table.csv      # Of quantiles (quantile,seconds) or a series (seconds), maybe gzipped.
//     shape: 1.5           # Of pareto, whose times are at least `scale`.
//     scale: 100ms
//     median: 140ms        # Of log-normal, whose logarithm deviates by `sigma`.
//     sigma: 0.4
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

// Reads the keys above; a file is looked for in `folder`, or, if its path begins with
// $COLLAGE_DATA/, where that variable says, and must exist.  Throws ConfigError.
Latency read_latency(Section& section, const std::filesystem::path& folder);

// The keys above for these values, paths absolute, as pipeline_variant() takes them without their
// section.
std::vector<std::pair<std::string, std::string>> latency_keys(const Latency& latency);

// Seconds one after another: a file with the header `seconds` and a number a row, gzipped or not;
// comments and line ends as in runtime/quantiles.h.  Throws ConfigError naming file and line:
// another header, a row of other than one number from 0 to 86400, no rows, more than 10,000,000.
std::vector<double> load_series(const std::filesystem::path& path);

}  // namespace runtime
