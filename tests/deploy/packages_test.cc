// The Debian packages: what they hold, need and leave, without installing them.
#include <gmock/gmock.h>

#include <algorithm>
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

const std::vector<std::string> kPackages = {"collage-config", "collage-broker", "collage-gateway",
                                            "collage-stage",  "collage-client", "collage-tools",
                                            "libcollage0.2",  "collage-dev"};

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

TEST(Packages, BrokerAndGatewayNeedNeitherLibTorchNorLibvips) {
  for (const char* name : {"collage-broker", "collage-gateway"}) {
    const std::string needs = output({"dpkg-deb", "-f", package(name).string(), "Depends"});
    EXPECT_THAT(needs, AllOf(HasSubstr("libzmq5"), HasSubstr("collage-config"))) << name;
    EXPECT_THAT(needs, AllOf(Not(HasSubstr("torch")), Not(HasSubstr("vips")))) << name;
  }
}

TEST(Packages, AStageNeedsAFastBlas) {
  EXPECT_THAT(output({"dpkg-deb", "-f", package("collage-stage").string(), "Depends"}),
              AllOf(HasSubstr("libtorch1.13"), HasSubstr("libvips42"), HasSubstr("libopenblas0")));
}

TEST(Packages, TheClientNeedsNeitherLibTorchNorLibvipsNorAPipeline) {
  const std::string needs =
      output({"dpkg-deb", "-f", package("collage-client").string(), "Depends"});
  EXPECT_THAT(needs, AllOf(HasSubstr("libzmq5"), Not(HasSubstr("torch")), Not(HasSubstr("vips")),
                           Not(HasSubstr("collage-config"))));
  const fs::path programs = unpacked() / "usr/bin";
  for (const char* program : {"collage-push", "collage-keys"}) {
    EXPECT_THAT(output({"ldd", (programs / program).string()}),
                AllOf(Not(HasSubstr("torch")), Not(HasSubstr("vips"))));
  }
}

// Nobody edits the version of a package: apt upgrades because a commit has a higher one.
TEST(Packages, AllHaveTheVersionThatTheirProgramsPrint) {
  const std::string said = output({(unpacked() / "usr/bin/collage-broker").string(), "--version"});
  const std::size_t from = said.find(' ') + 1;
  const std::string version = said.substr(from, said.find(',') - from);
  for (const std::string& name : kPackages) {
    EXPECT_EQ(output({"dpkg-deb", "-f", package(name).string(), "Version"}), version + "\n")
        << name;
  }
  EXPECT_THAT(output({"dpkg-deb", "-f", package("collage-tools").string(), "Depends"}),
              HasSubstr("collage-config (= " + version + "), collage-client (= " + version + ")"));
  output({"dpkg", "--compare-versions", version, "gt", "0.1.0"});
}

// The files of a folder of the packages, by name.
std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

TEST(Packages, EveryProgramHasAManualPageAndACompletion) {
  const fs::path root = unpacked();
  const std::vector<fs::path> programs = files_in(root / "usr/bin");
  EXPECT_GE(programs.size(), 7u);
  for (const fs::path& program : programs) {
    const std::string name = program.filename();
    const std::string page = root / "usr/share/man/man1" / (name + ".1.gz");
    const Ran shown = run({"LC_ALL=C.UTF-8", "MANWIDTH=80", "man", "--warnings", "-l", page});
    EXPECT_EQ(shown.code, 0) << shown.output;
    EXPECT_THAT(shown.output, AllOf(HasSubstr("SYNOPSIS"), HasSubstr("--version"),
                                    Not(HasSubstr("warning")), Not(HasSubstr(COLLAGE_SOURCE_DIR))))
        << name;
    const std::string completion = root / "usr/share/bash-completion/completions" / name;
    EXPECT_THAT(output({"bash", "-c", "source '" + completion + "' && complete -p " + name}),
                HasSubstr(" -F _collage_"));
  }
}

TEST(Packages, TheirChangelogBeginsWithTheirVersion) {
  const std::string changes = unpacked() / "usr/share/doc/collage-broker/changelog.gz";
  const std::string version =
      output({"dpkg-deb", "-f", package("collage-broker").string(), "Version"});
  const fs::path plain = scratch("changelog");
  output({"sh", "-c", "gzip -dc '" + changes + "' > '" + plain.string() + "'"});
  EXPECT_EQ(output({"dpkg-parsechangelog", "-l", plain.string(), "--show-field", "Version"}),
            version);
  EXPECT_EQ(output({"dpkg-parsechangelog", "-l", plain.string(), "--all", "--format", "rfc822"})
                .find("warning"),
            std::string::npos);
}

// What keeps an overflow from becoming an attack.
TEST(Packages, EveryBinaryIsHardened) {
  const fs::path root = unpacked();
  std::vector<fs::path> binaries = files_in(root / "usr/bin");
  binaries.push_back(fs::canonical(root / "usr/lib/libcollage.so"));
  for (const fs::path& binary : binaries) {
    const std::string elf = output({"readelf", "-hldW", binary.string()});
    EXPECT_THAT(elf, HasSubstr("DYN (")) << binary << ": its place in memory is not random";
    EXPECT_THAT(elf, HasSubstr("GNU_RELRO")) << binary;
    EXPECT_THAT(elf, HasSubstr("BIND_NOW")) << binary << ": RELRO is partial";
    EXPECT_THAT(elf, Not(testing::ContainsRegex("GNU_STACK.* RWE"))) << binary;
    const std::string symbols = output({"readelf", "--dyn-syms", "-W", binary.string()});
    EXPECT_THAT(symbols, HasSubstr("__stack_chk_fail")) << binary;
    EXPECT_THAT(symbols, testing::ContainsRegex("__[a-z]*printf_chk|__mem[a-z]*_chk")) << binary;
  }
}

// As strict as Debian's own archive, which refuses packages with errors.
TEST(Packages, LintianFindsNoError) {
  std::vector<std::string> command = {
      "lintian", "--no-cfg", "--allow-root", "--fail-on", "error", "--tag-display-limit", "0"};
  for (const std::string& name : kPackages) command.push_back(package(name).string());
  const Ran ran = run(command);
  EXPECT_EQ(ran.code, 0) << ran.output;
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
  output({(root / "usr/bin/collage-gateway").string(), "--check", moved.string()});
  output({(root / "usr/bin/collage-stage").string(), "classifier", "--check", moved.string()});
  output({(root / "usr/bin/collage-stage").string(), "collage", "--check", moved.string()});
}

TEST(Packages, TheUnitsAreConfined) {
  const fs::path units = unpacked() / "usr/lib/systemd/system";
  const std::vector<std::pair<std::string, std::string>> limits = {
      {"collage-broker.service", "25"},
      {"collage-sink.service", "25"},
      {"collage-gateway.service", "25"},
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
      output({"dpkg-deb", "-f", package("libcollage0.2").string(), "Depends"});
  EXPECT_THAT(needs,
              AllOf(HasSubstr("libzmq5"), Not(HasSubstr("collage")), Not(HasSubstr("-dev")),
                    Not(HasSubstr("torch")), Not(HasSubstr("vips")), Not(HasSubstr("yaml"))));
  // What packages of programs that are linked with it will depend on.
  EXPECT_THAT(output({"dpkg-deb", "-I", package("libcollage0.2").string(), "shlibs"}),
              testing::StartsWith("libcollage 0.2 libcollage0.2 (>= "));
}

TEST(Packages, DevelopmentFilesAreOfTheSameVersionAsTheLibrary) {
  const std::string version =
      output({"dpkg-deb", "-f", package("collage-dev").string(), "Version"});
  EXPECT_EQ(output({"dpkg-deb", "-f", package("collage-dev").string(), "Depends"}),
            "libcollage0.2 (= " + version.substr(0, version.size() - 1) + ")\n");
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
