// The documentation as far as a program can check it: what a page names exists, and pages keep
// their form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/tidy/files.h"

namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

// The top-level folders of the project, without hidden ones and those that ./run writes.
std::set<std::string> top_folders() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(kRoot)) {
    const std::string name = entry.path().filename().string();
    const bool made = name == "build" || name == "out" || name.starts_with(".");
    if (entry.is_directory() && !made) names.insert(name);
  }
  return names;
}

// Files with one of these extensions, in the root itself or anywhere below a top-level folder.
std::vector<fs::path> files(const std::set<std::string>& extensions) {
  std::vector<fs::path> all;
  const auto add = [&](const fs::path& path) {
    if (extensions.contains(path.extension().string())) all.push_back(path);
  };
  for (const auto& entry : fs::directory_iterator(kRoot)) add(entry.path());
  for (const std::string& folder : top_folders()) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) add(entry.path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

// CHANGELOG.md is left out: it names what is gone.
std::vector<fs::path> pages() {
  std::vector<fs::path> all = files({".md"});
  std::erase_if(all, [](const fs::path& page) { return page.filename() == "CHANGELOG.md"; });
  return all;
}

std::vector<std::smatch> all_matches(const std::string& text, const std::regex& pattern) {
  return {std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()};
}

// The folders that the lines "    wire/   what it is" of a page name.
std::set<std::string> folder_map(const std::string& page) {
  static const std::regex kEntry(R"(^    ([a-z]+)/\s)");
  std::set<std::string> named;
  for (const std::string& line : lines(page)) {
    std::smatch match;
    if (std::regex_search(line, match, kEntry)) named.insert(match[1].str());
  }
  return named;
}

TEST(Docs, TheReadmeMapsEveryFolderAndNoOther) {
  EXPECT_EQ(folder_map(read(kRoot / "README.md")), top_folders());
}

TEST(Docs, NoOtherPageHasAFolderMap) {
  std::vector<std::string> wrong;
  for (const fs::path& page : pages()) {
    if (page != kRoot / "README.md" && folder_map(read(page)).size() > 2) wrong.push_back(page);
  }
  EXPECT_THAT(wrong, IsEmpty());
}

// A path is what begins with a top-level folder.  One with a * or a <name> is a pattern.
TEST(Docs, EveryPathThatAPageNamesExists) {
  std::string folders;
  for (const std::string& folder : top_folders()) folders += (folders.empty() ? "" : "|") + folder;
  const std::regex path("(?:^|[^\\w./<>$-])((?:" + folders + ")/[\\w./-]*)([*<${]?)");
  std::vector<std::string> wrong;
  for (const fs::path& page : pages()) {
    const std::string text = read(page);
    for (const std::smatch& match : all_matches(text, path)) {
      std::string name = match[1].str();
      name.erase(name.find_last_not_of(".-") + 1);
      if (match[2].length() > 0 || fs::exists(kRoot / name)) continue;
      if (!fs::exists(page.parent_path() / name)) wrong.push_back(page.string() + ": " + name);
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Docs, EveryQualifiedNameThatAPageNamesIsDeclared) {
  static const std::regex kWord(R"([A-Za-z_]\w*)");
  static const std::regex kQualified(R"(`((?:\w+::)+\w+)`)");
  std::set<std::string> declared;
  for (const fs::path& header : files({".h"})) {
    const std::string text = read(header);
    for (const std::smatch& match : all_matches(text, kWord)) declared.insert(match.str());
  }
  std::vector<std::string> wrong;
  for (const fs::path& page : pages()) {
    const std::string text = read(page);
    for (const std::smatch& match : all_matches(text, kQualified)) {
      const std::string name = match[1].str();
      for (const std::smatch& part : all_matches(name, kWord)) {
        // A CMake target is qualified, too: collage::client.
        if (!declared.contains(part.str())) wrong.push_back(page.string() + ": " + name);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Docs, EveryTestThatAPageNamesExists) {
  static const std::regex kTest(R"(`([A-Z][a-z]\w*)\.([A-Z][a-z]+[A-Z]\w*)`)");
  std::string tests;
  for (const fs::path& file : files({".cc"})) {
    if (fs::relative(file, kRoot).begin()->string() == "tests") tests += read(file);
  }
  std::vector<std::string> wrong;
  for (const fs::path& page : pages()) {
    const std::string text = read(page);
    for (const std::smatch& match : all_matches(text, kTest)) {
      const std::string declared = "(" + match[1].str() + ", " + match[2].str() + ")";
      if (tests.find(declared) == tests.npos) wrong.push_back(page.string() + declared);
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Docs, EveryLinkLeadsToAFile) {
  static const std::regex kLink(R"(\]\(([^)#:]+)(#[^)]*)?\))");
  std::vector<std::string> wrong;
  for (const fs::path& page : pages()) {
    const std::string text = read(page);
    for (const std::smatch& match : all_matches(text, kLink)) {
      if (!fs::exists(page.parent_path() / match[1].str())) {
        wrong.push_back(page.string() + ": " + match[1].str());
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Docs, TheReadmeHasAtMostAHundredAndTwentyLines) {
  EXPECT_LE(lines(read(kRoot / "README.md")).size(), 120u);
}

// Columns are characters, not bytes.  Tables, indented blocks and fenced code are not prose.
TEST(Docs, ProseHasAtMostAHundredColumns) {
  std::vector<std::string> wrong;
  for (const fs::path& page : pages()) {
    bool fenced = false;
    int number = 0;
    for (const std::string& line : lines(read(page))) {
      ++number;
      if (line.starts_with("```")) fenced = !fenced;
      if (fenced || line.starts_with("|") || line.starts_with("    ")) continue;
      const auto columns =
          std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; });
      if (columns > 100) wrong.push_back(page.string() + ":" + std::to_string(number));
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

// What yamllint refuses in the test of deployments, which runs seldom.
TEST(Docs, PlaybooksHaveAtMostAHundredColumns) {
  std::vector<std::string> wrong;
  for (const fs::path& file : files({".yml", ".yaml"})) {
    const std::string folder = fs::relative(file, kRoot).begin()->string();
    if (folder != "ansible" && folder != "packages" && folder != "tests") continue;
    int number = 0;
    for (const std::string& line : lines(read(file))) {
      ++number;
      if (line.size() > 100) wrong.push_back(file.string() + ":" + std::to_string(number));
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

}  // namespace
