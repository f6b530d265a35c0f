#include "runtime/pipeline/latency.h"

#include <zlib.h>

#include <cstdlib>
#include <memory>
#include <sstream>

#include "runtime/config/config_error.h"
#include "runtime/config/quantity.h"

namespace runtime {
namespace {

constexpr std::size_t kRowsMax = 10'000'000;      // 80 MB as doubles.
constexpr std::size_t kBytesMax = 32 * kRowsMax;  // A row of a double needs at most 25 bytes.
constexpr std::string_view kHeader = "seconds";
constexpr double kSecondsMax = wire::to_seconds(wire::kDurationMax);

// Data that is not installed with the project lies in the folder that this variable names.
constexpr std::string_view kData = "$COLLAGE_DATA/";

std::filesystem::path recording(Section& section, std::string_view key,
                                const std::filesystem::path& folder) {
  const std::string text = section.text(key);
  std::filesystem::path path = folder / text;
  if (text.starts_with(kData)) {
    const char* data = std::getenv("COLLAGE_DATA");
    if (data == nullptr) section.fail(key, "is " + text + ", but COLLAGE_DATA is not set");
    path = std::filesystem::path(data) / text.substr(kData.size());
  }
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    section.fail(key, "there is no file " + in_quotes(path.string()));
  }
  return path;
}

// Returns the whole text of a file, decompressed if it is gzipped: gzread also reads plain files.
// The bound applies to the decompressed text, because a small file can expand to a huge one.
std::string read_text(const std::filesystem::path& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw ConfigError(path.string() + ": cannot be opened");
  std::string text;
  std::string block(1 << 16, '\0');
  int got = 0;
  while ((got = gzread(file.get(), block.data(), static_cast<unsigned>(block.size()))) > 0) {
    text.append(block, 0, static_cast<std::size_t>(got));
    if (text.size() > kBytesMax) {
      throw ConfigError(path.string() + ": is too large, expected at most 10,000,000 rows");
    }
  }
  // A file that is cut short ends without an error from gzread; only gzerror reports it.
  int status = Z_OK;
  gzerror(file.get(), &status);
  if (got < 0 || status == Z_BUF_ERROR) {
    throw ConfigError(path.string() + ": is damaged or cut short");
  }
  return text;
}

}  // namespace

Latency read_latency(Section& section, const std::filesystem::path& folder) {
  using Source = Latency::Source;
  constexpr wire::Duration kLeast = std::chrono::microseconds(1);
  Latency latency;
  latency.source = section.choice<Source>("source",
                                          {{"quantiles", Source::quantiles},
                                           {"series", Source::series},
                                           {"pareto", Source::pareto},
                                           {"log-normal", Source::log_normal}},
                                          Source::quantiles);
  switch (latency.source) {
    case Source::quantiles:
    case Source::series:
      latency.file = recording(section, "file", folder);
      break;
    case Source::pareto:
      latency.shape = section.number("shape", 0.1, 100);
      latency.scale = section.duration("scale", kLeast, wire::kDurationMax);
      break;
    case Source::log_normal:
      latency.median = section.duration("median", kLeast, wire::kDurationMax);
      latency.sigma = section.number("sigma", 0, 10);
      break;
  }
  return latency;
}

std::vector<std::pair<std::string, std::string>> latency_keys(const Latency& latency) {
  switch (latency.source) {
    case Latency::Source::quantiles:
    case Latency::Source::series:
      return {{"source", latency.source == Latency::Source::series ? "series" : "quantiles"},
              {"file", std::filesystem::absolute(latency.file).string()}};
    case Latency::Source::pareto:
      return {{"source", "pareto"},
              {"shape", number_text(latency.shape)},
              {"scale", duration_text(latency.scale)}};
    case Latency::Source::log_normal:
      break;
  }
  return {{"source", "log-normal"},
          {"median", duration_text(latency.median)},
          {"sigma", number_text(latency.sigma)}};
}

std::vector<double> load_series(const std::filesystem::path& path) {
  std::istringstream in(read_text(path));
  std::vector<double> seconds;
  int line_number = 0;
  bool header = false;
  const auto fail = [&](const std::string& what) {
    throw ConfigError(path.string(), {.line = std::max(line_number, 1), .column = 1}, "", what);
  };
  for (std::string line; std::getline(in, line);) {
    ++line_number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    if (!header) {
      if (line != kHeader) fail("is " + in_quotes(line) + ", expected the header seconds");
      header = true;
      continue;
    }
    const auto value = parse_number(line);
    if (!value || *value < 0 || *value > kSecondsMax) {
      fail("is " + in_quotes(line) + ", expected seconds from 0 to " + number_text(kSecondsMax));
    }
    if (seconds.size() == kRowsMax) fail("is one row too many, expected at most 10,000,000");
    seconds.push_back(*value);
  }
  if (seconds.empty()) fail("ends too early, expected the header seconds and at least one row");
  return seconds;
}

}  // namespace runtime
