// docs/CONFIGURATION.md and pipeline.yaml agree with the policies of the machines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/pipeline/pipeline.h"

namespace {

using runtime::Document;
using testing::IsEmpty;

const std::filesystem::path kRoot = COLLAGE_SOURCE_DIR;

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Every key that a valid pipeline may have, in the order of reading.
std::vector<Document::Resolved> all_keys() {
  const std::string shipped = read(kRoot / "pipeline.yaml");
  const std::vector<std::string> more = {
      "", "\nsecurity:\n  keys: docs\n",
      "\nemulation:\n  source: quantiles\n  file: replay/quantiles/cloud-latency-2019.csv\n",
      "\nemulation:\n  source: pareto\n  shape: 1.5\n  scale: 100ms\n",
      "\nemulation:\n  source: log-normal\n  median: 140ms\n  sigma: 0.4\n"};
  std::vector<Document::Resolved> keys;
  for (const std::string& section : more) {
    const auto pipeline = runtime::parse_pipeline(shipped + section, kRoot / "pipeline.yaml");
    for (const Document::Resolved& key : pipeline.service.resolved) {
      if (std::ranges::find(keys, key.path, &Document::Resolved::path) == keys.end()) {
        keys.push_back(key);
      }
    }
  }
  return keys;
}

// The first three columns after the key: "duration | 0s to 1m | 20ms".
std::string expected_cells(const Document::Resolved& key) {
  std::string type = key.allowed, range = "-";
  std::smatch match;
  static const std::regex kRange("an? (.*) from (\\S+) to (\\S+)( .*)?");
  if (std::regex_match(key.allowed, match, kRange)) {
    type = match[1];
    range = match[2].str() + " to " + match[3].str();
  } else if (key.allowed.starts_with("one of ")) {
    type = "choice";
    range = key.allowed.substr(7);
  } else {
    type = key.allowed.starts_with("a ") ? key.allowed.substr(2) : key.allowed;
  }
  return type + " | " + range + " | " + (key.fallback.empty() ? "required" : key.fallback);
}

// The rows of the page by key, without the last column, which a test cannot check.
std::map<std::string, std::string> documented() {
  std::map<std::string, std::string> rows;
  static const std::regex kRow(
      "\\| `([a-z_.0-9]+)` \\| ([^|]+ \\| [^|]+ \\| [^|]+) \\| ([^|]+) \\|");
  std::istringstream page(read(kRoot / "docs/CONFIGURATION.md"));
  for (std::string line; std::getline(page, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kRow)) rows[match[1]] = match[2];
  }
  return rows;
}

TEST(Configuration, ThePageHasEveryKeyWithItsTypeRangeAndDefault) {
  std::map<std::string, std::string> rows = documented();
  for (const Document::Resolved& key : all_keys()) {
    EXPECT_EQ(rows[key.path], expected_cells(key)) << key.path;
    rows.erase(key.path);
  }
  std::vector<std::string> unknown;
  for (const auto& [path, cells] : rows) unknown.push_back(path);
  EXPECT_THAT(unknown, IsEmpty()) << "documented, but no key of pipeline.yaml";
}

// HTTP is off unless a file turns it on; the shipped file does, on loopback.
TEST(Configuration, TheShippedFileHoldsTheDefaults) {
  const auto pipeline = runtime::load_pipeline(kRoot / "pipeline.yaml");
  for (const Document::Resolved& key : pipeline.service.resolved) {
    if (key.fallback.empty() || key.path == "http.address") continue;
    EXPECT_EQ(key.value, key.fallback) << key.path;
    EXPECT_NE(key.line, 0) << key.path << " is not in pipeline.yaml";
  }
}

}  // namespace
