// The Debian packages: what they hold, need and leave, without installing them.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/service/install_paths.h"
#include "tests/system/run_program.h"

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using system_test::Ran;
using system_test::scratch;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kPackages = {"collage-config", "collage-broker", "collage-stage",
                                            "collage-tools",  "libcollage0.1",  "collage-dev"};

fs::path package(const std::string& name) {
  for (const auto& entry : fs::directory_iterator(COLLAGE_PACKAGES)) {
    const std::string file = entry.path().filename();
    if (file.starts_with(name + "_") && file.ends_with(".deb")) return entry.path();
  }
  ADD_FAILURE() << "no package " << name << " in " COLLAGE_PACKAGES;
  return {};
}

// A program of the PATH, to its end.
Ran run(std::vector<std::string> argv) {
  argv.insert(argv.begin(), "/usr/bin/env");
  return system_test::run(std::move(argv), 120s);
}

// The same; its end must be a good one.
std::string output(const std::vector<std::string>& argv) {
  const Ran ran = run(argv);
  EXPECT_EQ(ran.code, 0) << argv[0] << ": " << ran.output;
  return ran.output;
}

// All packages unpacked into an empty root.
fs::path unpacked() {
  const fs::path root = scratch("root");
  fs::remove_all(root);
  for (const std::string& name : kPackages) {
    output({"dpkg-deb", "-x", package(name).string(), root.string()});
  }
  return fs::canonical(root);
}

TEST(Packages, TheBrokerNeedsNeitherLibTorchNorLibvips) {
  const std::string needs =
      output({"dpkg-deb", "-f", package("collage-broker").string(), "Depends"});
  EXPECT_THAT(needs, AllOf(HasSubstr("libzmq5"), HasSubstr("collage-config")));
  EXPECT_THAT(needs, AllOf(Not(HasSubstr("torch")), Not(HasSubstr("vips"))));
}

TEST(Packages, AStageNeedsAFastBlas) {
  EXPECT_THAT(output({"dpkg-deb", "-f", package("collage-stage").string(), "Depends"}),
              AllOf(HasSubstr("libtorch1.13"), HasSubstr("libvips42"), HasSubstr("libopenblas0")));
}

TEST(Packages, ThePipelineIsAnOperatorsFileAndValid) {
  EXPECT_EQ(output({"dpkg-deb", "-I", package("collage-config").string(), "conffiles"}),
            "/etc/collage/pipeline.yaml\n");
  // Its models lie where the packages put them: here, under another root.
  const fs::path root = unpacked();
  std::ifstream in(root / "etc/collage/pipeline.yaml");
  std::stringstream text;
  text << in.rdbuf();
  std::string pipeline = text.str();
  for (std::size_t at = 0; (at = pipeline.find(" /usr/share/", at)) != pipeline.npos;) {
    pipeline.insert(at + 1, root.string());
    at += root.string().size() + 2;
  }
  const fs::path moved = scratch("pipeline.yaml");
  std::ofstream(moved) << pipeline;
  output({(root / "usr/bin/collage-broker").string(), "--check", moved.string()});
  output({(root / "usr/bin/collage-stage").string(), "classifier", "--check", moved.string()});
  output({(root / "usr/bin/collage-stage").string(), "collage", "--check", moved.string()});
}

TEST(Packages, TheUnitsAreConfined) {
  const fs::path units = unpacked() / "usr/lib/systemd/system";
  const std::vector<std::pair<std::string, std::string>> limits = {
      {"collage-broker.service", "25"},
      {"collage-sink.service", "25"},
      {"collage-stage@.service", "45"},
      {"collage-collage@.service", "45"}};
  for (const auto& [unit, limit] : limits) {
    const Ran ran = run({"systemd-analyze", "security", "--offline=true", "--threshold=" + limit,
                         (units / unit).string()});
    EXPECT_EQ(ran.code, 0) << ran.output;
  }
}

// Whatever systemd does not know it only warns of.
TEST(Packages, TheUnitsSayNothingThatSystemdDoesNotKnow) {
  const fs::path root = unpacked();
  for (const auto& entry : fs::directory_iterator(root / "usr/lib/systemd/system")) {
    const Ran ran = run({"systemd-analyze", "verify", "--man=no", "--root=" + root.string(),
                         entry.path().filename().string()});
    EXPECT_THAT(ran.output, AllOf(Not(HasSubstr("Unknown")), Not(HasSubstr("Failed to parse"))));
  }
}

// With programs in the place of systemctl and sleep: how long the script would wait.
TEST(Packages, AServiceThatFailsAgainAndAgainIsStartedEverMoreSeldom) {
  const fs::path script = unpacked() / "usr/lib/collage/back-off";
  const fs::path fakes = scratch("fakes");
  fs::create_directories(fakes);
  const auto fake = [&](const char* name, const std::string& text) {
    std::ofstream(fakes / name) << "#!/bin/sh\n" << text;
    fs::permissions(fakes / name, fs::perms::owner_all);
  };
  fake("sleep", "echo \"waits $1\"\n");
  const auto waits = [&](int restarts, int ran_s) {
    fake("systemctl", "echo NRestarts=" + std::to_string(restarts) +
                          "\necho ExecMainStartTimestampMonotonic=5000000\n"
                          "echo ExecMainExitTimestampMonotonic=" +
                          std::to_string(5 + ran_s) + "000000\n");
    return output({"PATH=" + fakes.string() + ":/usr/bin:/bin", script.string(), "some.service"});
  };
  EXPECT_EQ(waits(0, 3), "");
  EXPECT_EQ(waits(1, 3), "waits 0.25\n");
  EXPECT_EQ(waits(6, 3), "waits 8\n");
  EXPECT_EQ(waits(20, 3), "waits 30\n");
  EXPECT_EQ(waits(20, 700), "");
}

TEST(Packages, TheServicesHaveAUserOfTheirOwn) {
  const fs::path root = unpacked();
  output({"systemd-sysusers", "--root=" + root.string(), "collage.conf"});
  std::ifstream in(root / "etc/passwd");
  std::stringstream users;
  users << in.rdbuf();
  EXPECT_THAT(users.str(), testing::ContainsRegex("collage:x:[0-9]+:[0-9]+:.*:/usr/sbin/nologin"));
}

TEST(Packages, ToolsFindWhatTheyNeedFromAnyFolder) {
  const fs::path root = unpacked();
  const fs::path elsewhere = scratch("elsewhere");
  fs::remove_all(elsewhere);
  fs::create_directories(elsewhere);
  const Ran ran = run({"-C", elsewhere.string(), (root / "usr/bin/collage-replay").string(), "run",
                       "busy-fleet", "--pipeline", COLLAGE_SOURCE_DIR "/pipeline.yaml", "--batches",
                       "0", "--simulated", "20", "--policies", "none"});
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_TRUE(fs::exists(elsewhere / "out/replay/busy-fleet-sim/report.html"));
}

TEST(Packages, TheLibraryNeedsNothingElseOfOurs) {
  const std::string needs =
      output({"dpkg-deb", "-f", package("libcollage0.1").string(), "Depends"});
  EXPECT_THAT(needs,
              AllOf(HasSubstr("libzmq5"), Not(HasSubstr("collage")), Not(HasSubstr("-dev")),
                    Not(HasSubstr("torch")), Not(HasSubstr("vips")), Not(HasSubstr("yaml"))));
  // What packages of programs that are linked with it will depend on.
  EXPECT_THAT(output({"dpkg-deb", "-I", package("libcollage0.1").string(), "shlibs"}),
              testing::StartsWith("libcollage 0.1 libcollage0.1 (>= "));
}

TEST(Packages, DevelopmentFilesAreOfTheSameVersionAsTheLibrary) {
  const std::string version =
      output({"dpkg-deb", "-f", package("collage-dev").string(), "Version"});
  EXPECT_EQ(output({"dpkg-deb", "-f", package("collage-dev").string(), "Depends"}),
            "libcollage0.1 (= " + version.substr(0, version.size() - 1) + ")\n");
  const fs::path root = unpacked();
  const fs::path link = root / "usr/lib/libcollage.so";
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_TRUE(fs::exists(link)) << "it points to a library that is not there";
  EXPECT_TRUE(fs::exists(root / "usr/include/collage/client.h"));
  EXPECT_TRUE(fs::exists(root / "usr/lib/cmake/collage/collageConfig.cmake"));
  EXPECT_TRUE(fs::exists(root / "usr/lib/pkgconfig/collage.pc"));
  EXPECT_TRUE(fs::exists(root / "usr/share/doc/collage-dev/examples/CMakeLists.txt"));
}

TEST(Packages, ThePythonClientIsFoundByPythonItself) {
  const fs::path modules = unpacked() / "usr/lib/python3/dist-packages";
  EXPECT_THAT(output({"PYTHONPATH=" + modules.string(), "/usr/bin/python3", "-B", "-m",
                      "collage_client", "--help"}),
              HasSubstr("--endpoint"));
}

TEST(Packages, EveryFileIsRootsAndWritableByNoOther) {
  for (const std::string& name : kPackages) {
    std::istringstream files(output({"dpkg-deb", "-c", package(name).string()}));
    for (std::string file; std::getline(files, file);) {
      if (file.starts_with('l')) continue;  // A link's own mode is always rwxrwxrwx.
      EXPECT_THAT(file, AllOf(HasSubstr(" root/root "), Not(testing::ContainsRegex("^.....w")),
                              Not(testing::ContainsRegex("^........w"))))
          << name;
    }
  }
}

}  // namespace
