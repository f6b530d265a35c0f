// The library as a stranger uses it: installed, found by CMake and pkg-config, and asked through a
// pipeline of real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>

#include "tests/system/live_pipeline.h"

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using system_test::image_folder;
using system_test::LivePipeline;
using system_test::Ran;
using system_test::scratch;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kExamples = COLLAGE_SOURCE_DIR "/examples";

// A program of the PATH, to its end, which must be a good one.
std::string output(std::vector<std::string> argv) {
  argv.insert(argv.begin(), "/usr/bin/env");
  const Ran ran = system_test::run(argv, 200s);
  EXPECT_EQ(ran.code, 0) << argv[1] << ": " << ran.output;
  return ran.output;
}

class InstalledLibrary : public testing::Test {
 protected:
  // Into a prefix of its own, without a trace of the build but what was installed.
  void SetUp() override {
    fs::remove_all(prefix_);
    for (const char* component : {"library", "dev"}) {
      output({"cmake", "--install", COLLAGE_BINARY_DIR, "--prefix", prefix_.string(), "--component",
              component});
    }
  }

  const fs::path prefix_ = scratch("prefix");
};

// Some images as files of a folder.
std::size_t lines_with(const std::string& text, const std::string& part) {
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line.find(part) != line.npos;
  return count;
}

// The numbers N of the lines "frame N: ...".
std::vector<int> frames(const std::string& text) {
  std::istringstream lines(text);
  std::vector<int> numbers;
  for (std::string line; std::getline(lines, line);) numbers.push_back(std::stoi(line.substr(6)));
  return numbers;
}

// The examples are copied out of the tree first, so that nothing above them can help.
TEST_F(InstalledLibrary, BuildsTheExamplesWhichThenUseAPipeline) {
  const fs::path source = scratch("examples"), build = scratch("examples-build");
  fs::remove_all(source);
  fs::remove_all(build);
  fs::copy(kExamples, source);
  output({"cmake", "-S", source.string(), "-B", build.string(),
          "-DCMAKE_PREFIX_PATH=" + prefix_.string(),
          "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"});
  output({"cmake", "--build", build.string(), "--parallel", "2"});

  LivePipeline pipeline({{"policy", "collage-hedge"}}, {.classifiers = 2, .collages = 1});
  const fs::path folder = image_folder(9);
  const std::string broker = pipeline.producers();
  const std::string label = system_test::samples(1).front().label;
  EXPECT_THAT(output({(build / "push_image").string(), broker, (folder / "0.png").string()}),
              AllOf(HasSubstr(label + ", probability "), HasSubstr(", from "), HasSubstr(" ms\n")));
  const std::string pushed = output({(build / "push_folder").string(), broker, folder, "100"});
  EXPECT_EQ(lines_with(pushed, ".png: "), 9u) << pushed;
  EXPECT_THAT(pushed, HasSubstr("0.png: " + label + "\n"));
  const std::string seen = output({(build / "camera").string(), broker, folder, "50", "12"});
  EXPECT_EQ(lines_with(seen, "frame "), 12u) << seen;
  EXPECT_TRUE(std::ranges::is_sorted(frames(seen))) << seen;
  // The Python examples against the same pipeline.
  const std::vector<std::string> python = {"PYTHONPATH=" COLLAGE_SOURCE_DIR "/producer/python",
                                           "/usr/bin/python3", "-B"};
  const auto script = [&](const char* name, const fs::path& file) {
    std::vector<std::string> argv = python;
    argv.insert(argv.end(), {(kExamples / name).string(), broker, file.string()});
    return output(argv);
  };
  EXPECT_THAT(script("push_image.py", folder / "0.png"),
              AllOf(HasSubstr(label + ", probability "), HasSubstr(", from ")));
  EXPECT_THAT(script("push_asyncio.py", folder / "0.png"), HasSubstr("0.png: " + label + "\n"));
  EXPECT_TRUE(pipeline.stop());
}

TEST_F(InstalledLibrary, TellsItsFlagsToPkgConfig) {
  const fs::path program = scratch("pushed-by-pkg-config");
  output({"sh", "-c",
          "PKG_CONFIG_PATH=$(dirname $(find '" + prefix_.string() +
              "' -name collage.pc)) && export PKG_CONFIG_PATH && g++ -std=c++20 -Wall -Wextra "
              "-Werror '" +
              (kExamples / "push_image.cc").string() + "' -o '" + program.string() +
              "' $(pkg-config --cflags --libs collage) "
              "-Wl,-rpath,$(pkg-config --variable=libdir collage)"});
  const Ran ran = system_test::run({program.string(), "127.0.0.1:5570", "photo.jpg"}, 20s);
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.output, HasSubstr("push_image: endpoints: is '127.0.0.1:5570', expected tcp://"));
}

// A version that may have another layout must not be taken for this one.
TEST_F(InstalledLibrary, IsNotFoundAsAnotherMinorVersion) {
  const fs::path source = scratch("other-version");
  fs::create_directories(source);
  const auto configure = [&](const std::string& version) {
    std::ofstream(source / "CMakeLists.txt")
        << "cmake_minimum_required(VERSION 3.16)\nproject(other LANGUAGES CXX)\n"
        << "find_package(collage " << version << " REQUIRED)\n";
    return system_test::run(
        {"/usr/bin/env", "cmake", "-S", source.string(), "-B", (source / "build").string(),
         "-DCMAKE_PREFIX_PATH=" + prefix_.string()},
        60s);
  };
  EXPECT_EQ(configure("0.2").code, 0);
  fs::remove_all(source / "build");
  const Ran other = configure("0.1");
  EXPECT_NE(other.code, 0);
  EXPECT_THAT(other.output, HasSubstr("compatible with requested version \"0.1\""));
}

}  // namespace
