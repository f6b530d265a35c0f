// The architecture as tests: who may include whom, where clocks may stand, what belongs to a build.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/tidy/files.h"

namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

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

const std::vector<std::string> kFolders = {"wire",   "machine", "imaging",  "broker",  "stages",
                                           "models", "runtime", "producer", "gateway", "replay"};

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

// Who may include whom: docs/ARCHITECTURE.md prints this table.  A room may include itself and the
// rooms in its row, each of which stands above it here; so no include points upward, and there is
// no circle.
struct Room {
  std::string path;
  std::vector<std::string> may_include;
};

const std::vector<Room>& rooms() {
  static const std::vector<Room> kRooms = {
      {"wire/", {}},
      {"machine/", {"wire/"}},
      {"imaging/", {"wire/"}},
      {"runtime/config/", {}},
      {"runtime/security/", {"runtime/config/", "wire/"}},
      {"runtime/loop/", {"runtime/security/", "runtime/config/", "machine/", "wire/"}},
      {"runtime/service/",
       {"runtime/loop/", "runtime/security/", "runtime/config/", "machine/", "wire/"}},
      {"models/serving/", {"wire/", "machine/", "imaging/"}},
      {"models/research/", {"models/serving/", "wire/", "machine/", "imaging/"}},
      {"broker/", {"wire/", "machine/", "imaging/layout.h"}},
      {"stages/", {"wire/", "machine/", "imaging/layout.h", "imaging/format.h"}},
      {"producer/", {"wire/", "machine/", "imaging/layout.h", "imaging/format.h"}},
      {"gateway/", {"producer/", "wire/", "machine/", "imaging/format.h"}},
      // pipeline.yaml as a whole: it assembles the sections that the machines read.
      {"runtime/pipeline/",
       {"broker/", "stages/", "gateway/", "runtime/service/", "runtime/loop/", "runtime/security/",
        "runtime/config/", "machine/", "wire/"}},
      {"replay/load/",
       {"broker/", "stages/", "producer/", "wire/", "machine/", "imaging/layout.h"}},
      {"replay/sim/",
       {"replay/load/", "broker/", "stages/", "producer/", "wire/", "machine/",
        "imaging/layout.h"}},
      {"replay/report/",
       {"replay/load/", "broker/", "stages/", "producer/", "wire/", "machine/", "runtime/",
        "imaging/"}},
      {"replay/live/",
       {"replay/load/", "broker/", "stages/", "producer/", "wire/", "machine/", "runtime/",
        "imaging/"}},
      // What is not in a room of its own: scenarios as the policies of machines.
      {"replay/",
       {"broker/", "stages/", "producer/", "wire/", "machine/", "runtime/", "imaging/"}}};
  return kRooms;
}

const Room& room_of(const fs::path& file) {
  const auto room = std::ranges::find_if(
      rooms(), [&](const Room& one) { return file.string().starts_with(one.path); });
  if (room == rooms().end()) throw std::runtime_error(file.string() + " is in no room");
  return *room;
}

// What ties a room to runtime, models and imaging: programs, their verbs, the readers of sections
// and manifests, the client library, because a machine alone is of no use to a program that only
// needs answers, and the gateway's sockets.
bool ties(const fs::path& file) {
  static const std::set<std::string> kReaders = {
      "broker/policy_reader",    "stages/policy_reader", "stages/sink/policy_reader",
      "stages/emulation_reader", "stages/served_models", "models/serving/manifest_reader",
      "replay/scenario_reader",  "producer/connection",  "gateway/policy_reader"};
  if (file.filename() == "main.cc") return true;
  if (file.parent_path().filename() == "commands") return true;
  if (file.parent_path() == "producer/library" || file.parent_path() == "gateway/door") return true;
  return kReaders.contains((file.parent_path() / file.stem()).string());
}

std::vector<std::string> allowed(const fs::path& file) {
  const Room& room = room_of(file);
  std::vector<std::string> allowed = room.may_include;
  allowed.push_back(room.path);
  if (ties(file)) {
    allowed.insert(allowed.end(), {"runtime/", "models/", "imaging/", "include/", "collage/"});
  }
  return allowed;
}

TEST(Tidy, TheTableOfRoomsHasNoCircle) {
  std::vector<std::string> wrong;
  for (auto room = rooms().begin(); room != rooms().end(); ++room) {
    for (const std::string& target : room->may_include) {
      const bool above = std::any_of(rooms().begin(), room, [&](const Room& one) {
        return target.starts_with(one.path) || one.path.starts_with(target);
      });
      if (!above) wrong.push_back(room->path + " may include " + target);
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
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

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  std::istringstream text(list);
  for (std::string item; text >> item;) items.push_back(item);
  return items;
}

// The libraries as CMake links them, directly and through other libraries.
TEST(Tidy, ProgramsThatServeLinkNoTrainer) {
  const std::map<std::string, std::vector<std::string>> kLinked = {
      {"collage-broker", split(COLLAGE_BROKER_LINKS)},
      {"collage-sink", split(COLLAGE_SINK_LINKS)},
      {"collage-gateway", split(COLLAGE_GATEWAY_LINKS)},
      {"collage-stage", split(COLLAGE_STAGE_LINKS)}};
  const std::vector<std::string> kHeavy = {"collage_torch", "collage_imaging", "collage_serving"};
  for (const auto& [program, libraries] : kLinked) {
    if (program == "collage-stage" && libraries.empty()) continue;  // A build without LibTorch.
    EXPECT_THAT(libraries, testing::Contains("collage_pipeline")) << program;
    EXPECT_THAT(libraries, testing::Not(testing::Contains(testing::StartsWith("collage_research"))))
        << program;
    if (program == "collage-stage") continue;
    for (const std::string& library : kHeavy) {
      EXPECT_THAT(libraries, testing::Not(testing::Contains(library))) << program;
    }
  }
}

TEST(Tidy, PackagesStayInTheirFolders) {
  const std::map<std::string, std::vector<std::string>> kHomes = {
      {"zmq.hpp", {"runtime/loop/"}},
      {"zmq", {"runtime/"}},
      {"yaml-cpp", {"runtime/config/"}},
      {"torch", {"models/"}},
      {"ATen", {"models/"}},
      {"c10", {"models/"}},
      {"opencv2", {"models/serving/"}},
      {"onnx", {"models/serving/"}},
      {"vips", {"imaging/"}},
      {"jpeglib", {"imaging/"}},
      {"jpegint", {"imaging/"}},
      {"jerror", {"imaging/"}},
      {"png.h", {"imaging/"}},
      {"lcms2", {"imaging/"}},
      {"httplib", {"runtime/service/", "gateway/door/"}},
      {"prometheus", {"runtime/service/"}}};
  std::vector<std::string> wrong;
  for (const fs::path& file : all_sources()) {
    for (const Include& include : includes(file)) {
      for (const auto& [package, homes] : kHomes) {
        const bool of_package = !include.ours && include.target.starts_with(package);
        if (of_package && !starts_with_any(file.string(), homes)) {
          wrong.push_back(file.string() + " includes " + include.target);
        }
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Tidy, ClocksThreadsAndChanceStayInTheirFolders) {
  static const std::regex kOutside(
      R"(_clock\b|std::thread\b|std::jthread\b|std::async\b|sleep_for|sleep_until|usleep|nanosleep|random_device|clock_gettime|gettimeofday)");
  std::vector<std::string> wrong;
  for (const fs::path& file : all_sources()) {
    const std::string path = file.string();
    if (starts_with_any(path, {"runtime/", "replay/live/", "gateway/door/"})) continue;
    if (path == "models/serving/processor_time.h") continue;  // What a thread computes, not when.
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

// The names of unordered containers that a text declares.
std::vector<std::string> unordered_in(const std::string& text) {
  static const std::regex kDeclared(R"(std::unordered_\w+<[^;(){}]*>&?\s+(\w+)\s*[;{=])");
  std::vector<std::string> names;
  for (std::sregex_iterator found(text.begin(), text.end(), kDeclared), end; found != end;
       ++found) {
    names.push_back((*found)[1]);
  }
  return names;
}

// Whether a text gives a type of unordered containers another name, by which unordered_in() would
// not know them.
bool renames_unordered(const std::string& text) {
  static const std::regex kAlias(R"((using\s+\w+\s*=\s*|typedef\s+)std::unordered_)");
  return std::regex_search(text, kAlias);
}

// Whether a text goes through the elements of the container of that name.
bool goes_through(const std::string& text, const std::string& name) {
  const std::string of = R"((this->|\w+\.|\w+->)*)" + name;
  const std::regex through("(:\\s*" + of + "\\))|(\\b" + name + R"(\.c?begin\()|(\()" + of +
                           ",)|(ranges::\\w+\\(" + of + "\\b)");
  return std::regex_search(text, through);
}

TEST(Tidy, DecidersIterateOverNothingUnordered) {
  std::vector<std::string> wrong;
  for (const char* folder : {"wire", "broker", "stages", "producer", "gateway", "replay/sim"}) {
    for (const fs::path& file : sources(folder)) {
      std::string text = read(kRoot / file);
      if (renames_unordered(text)) wrong.push_back(file.string() + ": an alias");
      const std::vector<std::string> names = unordered_in(text);
      if (names.empty()) continue;
      // A member that a header declares may be used in any file that includes it.
      for (const fs::path& other : sources(folder)) {
        const std::string more = read(kRoot / other);
        if (more.find("#include \"" + file.string() + "\"") != std::string::npos) text += more;
      }
      for (const std::string& name : names) {
        if (goes_through(text, name)) wrong.push_back(file.string() + ": " + name);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Tidy, GoingThroughAnUnorderedContainerIsSeen) {
  EXPECT_THAT(unordered_in("std::unordered_map<Id, std::set<int>, ById> open_;"),
              testing::ElementsAre("open_"));
  EXPECT_THAT(unordered_in("f(const std::unordered_map<A, B>& m) { if (a > b) c = d; }"),
              IsEmpty());
  EXPECT_TRUE(renames_unordered("using Open = std::unordered_map<A, B>;"));
  for (const char* text : {"for (const auto& [id, one] : open_) {", "auto it = open_.begin();",
                           "std::erase_if(open_, late);", "std::ranges::find(open_, x)",
                           "for (auto& one : this->open_) {", "for (auto& one : other.open_) {"}) {
    EXPECT_TRUE(goes_through(text, "open_")) << text;
  }
  for (const char* text : {"open_.find(id)", "open_.erase(id)", "for (auto& one : open_list_) {"}) {
    EXPECT_FALSE(goes_through(text, "open_")) << text;
  }
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
