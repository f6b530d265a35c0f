// The architecture as tests: who may include whom, where clocks may stand, what belongs to a build.
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

namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

const fs::path kRoot = COLLAGE_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Source files below a folder, relative to the root, in order.
std::vector<fs::path> sources(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::exists(kRoot / folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".h" || path.extension() == ".cc") {
      files.push_back(fs::relative(path, kRoot));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

const std::vector<std::string> kFolders = {"wire",   "imaging", "broker",   "stages",
                                           "models", "runtime", "producer", "replay"};

std::vector<fs::path> all_sources() {
  std::vector<fs::path> files;
  for (const std::string& folder : kFolders) {
    for (const fs::path& file : sources(folder)) files.push_back(file);
  }
  return files;
}

struct Include {
  fs::path file;
  std::string target;
  bool ours;  // In quotes.
};

std::vector<Include> includes(const fs::path& file) {
  static const std::regex kInclude(R"(^\s*#include\s*(["<])([^">]+)[">])");
  std::vector<Include> found;
  std::istringstream text(read(kRoot / file));
  for (std::string line; std::getline(text, line);) {
    std::smatch match;
    if (std::regex_search(line, match, kInclude)) {
      found.push_back({file, match[2].str(), match[1].str() == "\""});
    }
  }
  return found;
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return text.starts_with(prefix); });
}

// What ties a folder to runtime, models and imaging, by name.  producer/connection is the client
// library's public face: a machine alone is of no use to a program that only wants answers.
bool ties(const fs::path& file) {
  const std::string name = file.filename().string();
  const std::string stem = file.stem().string();
  return name == "main.cc" || stem == "config" || stem.ends_with("_command") ||
         stem.ends_with("_commands") || file.parent_path() / stem == "producer/connection";
}

std::vector<std::string> allowed(const fs::path& file) {
  const std::string folder = file.begin()->string();
  const std::vector<std::string> machines = {"wire/", "broker/", "stages/", "producer/",
                                             "imaging/layout.h"};
  std::vector<std::string> allowed = {folder + "/"};
  const auto also = [&allowed](const std::vector<std::string>& more) {
    allowed.insert(allowed.end(), more.begin(), more.end());
  };
  if (folder == "replay") {
    const std::string inner = folder + "/" + std::next(file.begin())->string() + "/";
    allowed = {"replay/load/"};
    also(machines);
    if (inner == "replay/sim/") {
      also({inner});
    } else if (inner != "replay/load/") {
      also({"replay/", "runtime/", "imaging/"});
    }
  } else if (folder != "wire") {
    also({"wire/"});
    if (folder == "models") also({"imaging/"});
    if (folder == "broker" || folder == "stages" || folder == "producer") {
      also({"imaging/layout.h"});
    }
  }
  if (ties(file)) also({"runtime/", "models/", "imaging/"});
  return allowed;
}

TEST(Tidy, EveryFileIncludesOnlyWhatTheTableAllows) {
  std::vector<std::string> wrong;
  for (const fs::path& file : all_sources()) {
    for (const Include& include : includes(file)) {
      if (include.ours && !starts_with_any(include.target, allowed(file))) {
        wrong.push_back(file.string() + " includes " + include.target);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Tidy, PublicHeadersIncludeOnlyTheStandardLibrary) {
  static const std::regex kStandard("[a-z_]+");  // All others have a dot or a slash.
  std::vector<std::string> wrong;
  const std::vector<fs::path> headers = sources("include");
  EXPECT_FALSE(headers.empty());
  for (const fs::path& file : headers) {
    for (const Include& include : includes(file)) {
      if (include.ours || !std::regex_match(include.target, kStandard)) {
        wrong.push_back(file.string() + " includes " + include.target);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Tidy, PackagesStayInTheirFolders) {
  const std::map<std::string, std::string> kHomes = {
      {"zmq", "runtime/"},     {"yaml-cpp", "runtime/"},  {"torch", "models/"},
      {"ATen", "models/"},     {"c10", "models/"},        {"vips", "imaging/"},
      {"httplib", "runtime/"}, {"prometheus", "runtime/"}};
  std::vector<std::string> wrong;
  for (const fs::path& file : all_sources()) {
    for (const Include& include : includes(file)) {
      for (const auto& [package, home] : kHomes) {
        const bool of_package = !include.ours && include.target.starts_with(package);
        if (of_package && !file.string().starts_with(home)) {
          wrong.push_back(file.string() + " includes " + include.target);
        }
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Tidy, ClocksThreadsAndChanceStayInTheirFolders) {
  static const std::regex kOutside(
      R"(_clock::now|std::thread\b|std::jthread\b|std::async\b|sleep_for|sleep_until|usleep|nanosleep|random_device|clock_gettime|gettimeofday)");
  std::vector<std::string> wrong;
  for (const fs::path& file : all_sources()) {
    const std::string path = file.string();
    if (path.starts_with("runtime/") || path.starts_with("replay/live/")) continue;
    std::istringstream text(read(kRoot / file));
    int number = 0;
    for (std::string line; std::getline(text, line);) {
      ++number;
      if (std::regex_search(line.substr(0, line.find("//")), kOutside)) {
        wrong.push_back(path + ":" + std::to_string(number) + ": " + line);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Tidy, DecidersIterateOverNothingUnordered) {
  std::vector<std::string> wrong;
  for (const char* folder : {"wire", "broker", "stages", "producer", "replay/sim"}) {
    for (const fs::path& file : sources(folder)) {
      if (read(kRoot / file).find("std::unordered_") != std::string::npos) {
        wrong.push_back(file.string());
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Tidy, EverySourceAndTestIsInItsBuild) {
  std::vector<std::string> files;
  for (const fs::path& file : all_sources()) files.push_back(file.string());
  for (const fs::path& file : sources("tests")) files.push_back(file.string());
  std::vector<std::string> wrong;
  for (const std::string& name : files) {
    if (!name.ends_with(".cc")) continue;
    // The nearest CMakeLists.txt at or above the file must name it.
    fs::path folder = fs::path(name).parent_path();
    while (!folder.empty() && !fs::exists(kRoot / folder / "CMakeLists.txt")) {
      folder = folder.parent_path();
    }
    const std::string listed = fs::relative(name, folder).string();
    const std::string text = read(kRoot / folder / "CMakeLists.txt");
    if (text.find(listed) == std::string::npos) wrong.push_back(name);
  }
  EXPECT_THAT(wrong, IsEmpty());
}

// Which of the two a client was made from must not matter.
TEST(Tidy, ThePythonClientHasTheVersionOfTheProject) {
  const auto version = [](const char* file, const char* pattern) {
    const std::string text = read(kRoot / file);
    std::smatch match;
    return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : file;
  };
  EXPECT_EQ(version("producer/python/pyproject.toml", R"re(\nversion = "([0-9.]+)")re"),
            version("CMakeLists.txt", R"re(project\(collage VERSION ([0-9.]+))re"));
}

TEST(Tidy, NoFileIsLongerThanFiveHundredLines) {
  std::vector<std::string> wrong;
  std::vector<fs::path> files = all_sources();
  for (const fs::path& file : sources("tests")) files.push_back(file);
  for (const fs::path& file : files) {
    const std::string text = read(kRoot / file);
    if (std::count(text.begin(), text.end(), '\n') > 500) wrong.push_back(file.string());
  }
  EXPECT_THAT(wrong, IsEmpty());
}

}  // namespace
