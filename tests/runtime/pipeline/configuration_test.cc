// docs/CONFIGURATION.md and pipeline.yaml agree with the policies of the machines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
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
  std::string shipped = read(kRoot / "pipeline.yaml");
  const std::string broker = "\nbroker:\n";
  shipped.replace(shipped.find(broker), broker.size(), broker + "  weights:\n    NAME: 1\n");
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
  std::string type = key.allowed.starts_with("a ") ? key.allowed.substr(2) : key.allowed;
  std::string range = "-";
  if (const std::size_t from = type.find(" from "); from != std::string::npos) {
    // "duration from 0s to 1m with a unit (...)": the bounds hold no space.
    std::istringstream bounds(type.substr(from + 6));
    std::string min, to, max;
    bounds >> min >> to >> max;
    range = min + " to " + max;
    type.resize(from);
  } else if (type.starts_with("one of ")) {
    range = type.substr(7);
    type = "choice";
  }
  return type + " | " + range + " | " + (key.fallback.empty() ? "required" : key.fallback);
}

// The rows of the page by key, up to the column that only a reader can judge.
std::map<std::string, std::string> documented() {
  constexpr std::size_t kColumns = 5;
  std::map<std::string, std::string> rows;
  std::istringstream page(read(kRoot / "docs/CONFIGURATION.md"));
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `") || std::ranges::count(line, '|') != kColumns + 1) continue;
    const std::size_t key_end = line.find("` | ");
    const std::size_t last = line.rfind(" | ");
    rows[line.substr(3, key_end - 3)] = line.substr(key_end + 4, last - key_end - 4);
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
