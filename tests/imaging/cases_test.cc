// A folder of files with expectations, for files too many or too large to keep here: set
// COLLAGE_CASES to it.  Its README.md has a table `| file | how made | expected | ...`, of which
// the words of the third column are understood that expectation_of() lists.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>

#include "tests/imaging/image_files.h"

namespace imaging {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Bytes bytes_in(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The expectation of each picture in the table.
std::map<std::string, std::string> table_of(const fs::path& folder) {
  std::map<std::string, std::string> rows;
  std::ifstream readme(folder / "README.md");
  for (std::string line; std::getline(readme, line);) {
    std::vector<std::string> cells;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, '|');) cells.push_back(cell);
    if (cells.size() < 4 || cells[1].size() < 3) continue;
    const std::string name = cells[1].substr(1, cells[1].size() - 2);
    if (!has(name, "/") && fs::exists(folder / name)) rows[name] = cells[3];
  }
  return rows;
}

Picture mirrored(const Picture& tile) {
  Picture out = tile;
  for (int i = 0; i < tile.width * tile.height; ++i) {
    const int x = i % tile.width;
    std::copy_n(tile.pixels.begin() + (i + tile.width - 1 - 2 * x) * 3, 3,
                out.pixels.begin() + i * 3);
  }
  return out;
}

void expect_near(const Picture& tile, const fs::path& reference, double levels) {
  EXPECT_LE(difference(tile, decoded(bytes_in(reference), kColour32)), levels);
}

// Formats that are not served by default are expected to be rejected, as is WebP in the table.
Limits limits_for(const std::string& expected) {
  Limits limits;
  if (has(expected, "unsupported_image")) limits.formats = {Format::jpeg, Format::png};
  return limits;
}

void check(const fs::path& file, const std::string& expected) {
  const auto tile = decode(bytes_in(file), kColour32, limits_for(expected));
  const std::string outcome = tile ? "ok" : std::string(to_string(tile.error()));
  std::smatch words;
  if (std::regex_search(expected, words, std::regex("rejected[:;] (\\w+)"))) {
    EXPECT_EQ(outcome, words[1]);
  } else if (has(expected, "either is defensible") || has(expected, "or a rejection")) {
    EXPECT_THAT(outcome, testing::AnyOf("ok", "truncated_image"));
  } else if (!tile) {
    ADD_FAILURE() << "is " << outcome << ", expected" << expected;
  } else if (std::regex_search(expected, words, std::regex("within (\\d+) levels of (\\S+png)"))) {
    expect_near(*tile, file.parent_path() / words[2].str(), std::stod(words[1]));
  } else if (has(expected, "same pixels as PNG")) {
    expect_near(*tile, fs::path(file).replace_extension(".png"), 4);
  } else if (has(expected, "its mirror image")) {
    EXPECT_LE(difference(*tile, mirrored(*tile)), 2);
  }
  if (tile && has(expected, "can be seen")) {
    const auto [least, most] = std::ranges::minmax(tile->pixels);
    EXPECT_GT(most - least, 50);
  }
}

TEST(Cases, AreAsExpected) {
  const char* folder = std::getenv("COLLAGE_CASES");
  if (folder == nullptr) GTEST_SKIP() << "COLLAGE_CASES names no folder";
  const auto rows = table_of(folder);
  ASSERT_FALSE(rows.empty()) << folder;
  for (const auto& [name, expected] : rows) {
    SCOPED_TRACE(name);
    check(fs::path(folder) / name, expected);
  }
}

}  // namespace
}  // namespace imaging
