// What the documents for contributors name, as tests: presets, verbs, labels, the version.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/tidy/files.h"

namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

// Every text that the first group of a pattern matches.
std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern, std::regex::ECMAScript | std::regex::multiline);
  std::set<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
    found.insert((*at)[1].str());
  }
  return found;
}

// The presets of a kind ("configurePresets") that can be named on a command line.
std::set<std::string> presets(const std::string& kind) {
  const auto all = nlohmann::json::parse(read("CMakePresets.json"));
  std::set<std::string> names;
  for (const auto& preset : all.at(kind)) {
    if (!preset.value("hidden", false)) names.insert(preset.at("name"));
  }
  return names;
}

const std::vector<std::string> kPages = {"CONTRIBUTING.md", "README.md", "CHANGELOG.md",
                                         ".github/workflows/ci.yml", "run"};

TEST(Contributing, EveryPresetThatIsNamedExists) {
  const auto configure = presets("configurePresets");
  const auto build = presets("buildPresets");
  const auto test = presets("testPresets");
  EXPECT_THAT(test, IsSupersetOf(build));
  for (const std::string& page : kPages) {
    const std::string text = read(page);
    EXPECT_THAT(configure, IsSupersetOf(matches(text, "cmake --preset ([a-z][a-z-]*)"))) << page;
    EXPECT_THAT(build, IsSupersetOf(matches(text, "--build --preset ([a-z][a-z-]*)"))) << page;
    EXPECT_THAT(test, IsSupersetOf(matches(text, "ctest --preset ([a-z][a-z-]*)"))) << page;
  }
  const auto jobs = matches(read(".github/workflows/ci.yml"), R"(\bpreset: ([a-z-]+)\})");
  EXPECT_THAT(jobs, Not(IsEmpty()));
  EXPECT_THAT(build, IsSupersetOf(jobs));
}

TEST(Contributing, DescribesEveryConfigurePreset) {
  const std::string page = read("CONTRIBUTING.md");
  for (const std::string& preset : presets("configurePresets")) {
    EXPECT_THAT(page, HasSubstr("`" + preset + "`"));
  }
}

TEST(Contributing, EveryVerbThatIsNamedExists) {
  std::set<std::string> verbs;
  for (const std::string& line : matches(read("run"), R"(^  ([a-z |]+)\)(?:$| ))")) {
    const auto words = matches(line, "([a-z]+)");
    verbs.insert(words.begin(), words.end());
  }
  ASSERT_THAT(verbs, Contains("test"));
  for (const std::string& page : kPages) {
    if (page == "run") continue;
    EXPECT_THAT(verbs, IsSupersetOf(matches(read(page), R"(\./run ([a-z]+))"))) << page;
  }
}

// A label that no preset runs would make its tests decoration.  `deploy` has none: it is a script.
TEST(Contributing, EveryLabelOfATestIsRunByAPreset) {
  std::set<std::string> labels;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "tests")) {
    if (entry.path().filename() != "CMakeLists.txt") continue;
    labels.merge(matches(read(fs::relative(entry.path(), kRoot)), R"(\bLABELS ([a-z]+))"));
  }
  EXPECT_THAT(matches(read("CMakePresets.json"), R"re("label": "\^(?:\()?([a-z|]+))re"),
              IsSupersetOf({"unit|scenario|sim", "files", "system", "slow"}));
  EXPECT_THAT((std::set<std::string>{"unit", "scenario", "sim", "files", "system", "slow"}),
              testing::ContainerEq(labels));
}

// Builds on the way to a version are below it, those after it above: whoever notes the first change
// after a release raises the project's version.
TEST(Contributing, TheChangelogHasTheVersionOfTheProjectOrWhatLeadsToIt) {
  const auto version = matches(read("CMakeLists.txt"), R"(^project\(collage VERSION ([0-9.]+))");
  ASSERT_EQ(version.size(), 1u);
  const std::string changes = read("CHANGELOG.md");
  const bool released = changes.find("\n## " + *version.begin() + " - ") != changes.npos;
  const bool unreleased = changes.find("\n## Unreleased\n") != changes.npos;
  EXPECT_NE(released, unreleased) << *version.begin();
}

}  // namespace
