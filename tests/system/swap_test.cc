// Models that take over from one another while images stream through.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "models/serving/manifest_reader.h"
#include "replay/live/fleet.h"
#include "runtime/loop/clock.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::LivePipeline;
using testing::HasSubstr;

namespace fs = std::filesystem;

// A shipped manifest under another version, and changed by `change`, at `path`.
void publish(const fs::path& path, const std::string& version,
             const std::function<void(models::Manifest&)>& change = {},
             const std::string& model = "fashion_single") {
  models::Manifest manifest =
      models::load_manifest(fs::path(COLLAGE_SOURCE_DIR) / "models" / (model + ".yaml"));
  manifest.version = version;
  if (change) change(manifest);
  std::string text = models::manifest_text(manifest);
  // The weights stay where they are.
  text = std::regex_replace(
      text, std::regex("weights: \"[^\"]*\""),
      "weights: \"" + std::string(COLLAGE_SOURCE_DIR) + "/models/weights/" + model + ".pt\"");
  std::ofstream(path) << text;
}

// The versions that answer 30 images; every one of them must be answered.
std::set<std::string> versions(const LivePipeline& pipeline) {
  std::set<std::string> seen;
  producer::Connection connection(pipeline.producers());
  std::size_t answered = 0;
  for (const system_test::Sample& sample : system_test::samples(30)) {
    (void)connection.submit(sample.image, [&](const producer::Delivered& delivered) {
      answered += delivered.result.status == wire::ResultStatus::answered;
      seen.insert(delivered.result.version);
    });
  }
  EXPECT_EQ(connection.close(30s), 0u);
  EXPECT_EQ(answered, 30u);
  return seen;
}

// Waits until a process's log says it.
void await_log(const LivePipeline& pipeline, const std::string& process, const std::string& words) {
  const wire::Instant until = runtime::now() + 60s;
  std::stringstream text;
  while (runtime::now() < until) {
    (void)pipeline.counters();
    text.str("");
    text << std::ifstream(pipeline.logs() / (process + ".log")).rdbuf();
    if (text.str().find(words) != std::string::npos) return;
  }
  FAIL() << text.str();
}

class Swap : public testing::Test {
 protected:
  static fs::path first_manifest() {
    const fs::path path = system_test::scratch("single.yaml");
    publish(path, "single-first");
    return path;
  }
  void reload() { pipeline_.fleet().process("classifier-0").signal(SIGHUP); }
  std::set<std::string> versions() { return ::versions(pipeline_); }
  void await_log(const std::string& words) { ::await_log(pipeline_, "classifier-0", words); }

  const fs::path manifest_ = first_manifest();
  LivePipeline pipeline_{{{"models.single", manifest_.string()}, {"policy", "none"}},
                         {.classifiers = 1, .collages = 0}};
};

TEST_F(Swap, ANewVersionAnswersOnceItIsLoadedAndNothingIsLost) {
  EXPECT_EQ(versions(), std::set<std::string>{"single-first"});
  publish(manifest_, "single-second");
  reload();
  (void)versions();  // While it loads.
  await_log("single-second takes over from single-first");
  EXPECT_EQ(versions(), std::set<std::string>{"single-second"});
  EXPECT_TRUE(pipeline_.stop());
}

TEST_F(Swap, TheSameWeightsCalibratedAnewTakeOver) {
  publish(manifest_, "single-first", [](models::Manifest& m) { m.calibration.temperature *= 2; });
  reload();
  await_log("single-first takes over from single-first");
  EXPECT_EQ(versions(), std::set<std::string>{"single-first"});
  EXPECT_TRUE(pipeline_.stop());
}

TEST_F(Swap, AModelOfOtherClassesIsRefusedAndTheOldOneServesOn) {
  publish(manifest_, "single-other", [](models::Manifest& m) { m.class_names[0] = "Hat"; });
  reload();
  await_log("class_names: differ from those being served");
  EXPECT_EQ(versions(), std::set<std::string>{"single-first"});
  EXPECT_TRUE(pipeline_.stop());
}

TEST_F(Swap, AModelThatCannotBeLoadedChangesNothing) {
  publish(manifest_, "single-broken",
          [](models::Manifest& m) { m.sha256[0] = m.sha256[0] == 'a' ? 'b' : 'a'; });
  reload();
  await_log("(nothing has changed)");
  EXPECT_EQ(versions(), std::set<std::string>{"single-first"});
  EXPECT_TRUE(pipeline_.stop());
}

TEST(SwapCollage, ANewVersionAnswersOnceItIsLoadedAndNothingIsLost) {
  const fs::path manifest = system_test::scratch("collage.yaml");
  publish(manifest, "collage-first", {}, "fashion_collage_3x3");
  // No classifier: whatever is answered the collage answers.
  LivePipeline pipeline({{"models.collage", manifest.string()}, {"policy", "collage-first"}},
                        {.classifiers = 0, .collages = 1});
  EXPECT_EQ(versions(pipeline), std::set<std::string>{"collage-first"});
  publish(manifest, "collage-second", {}, "fashion_collage_3x3");
  pipeline.fleet().process("collage-0").signal(SIGHUP);
  await_log(pipeline, "collage-0", "collage-second takes over from collage-first");
  EXPECT_EQ(versions(pipeline), std::set<std::string>{"collage-second"});
  EXPECT_TRUE(pipeline.stop());
}

TEST(SwapCollage, AModelOfAnotherGridIsRefusedAndTheOldOneServesOn) {
  const fs::path manifest = system_test::scratch("collage.yaml");
  publish(manifest, "collage-first", {}, "fashion_collage_3x3");
  LivePipeline pipeline({{"models.collage", manifest.string()}, {"policy", "collage-first"}},
                        {.classifiers = 0, .collages = 1});
  std::stringstream text;
  text << std::ifstream(pipeline.file()).rdbuf();
  std::ofstream(pipeline.file()) << std::regex_replace(text.str(), std::regex("grid: 3"),
                                                       "grid: 2");
  publish(manifest, "collage-second", {}, "fashion_collage_2x2");
  pipeline.fleet().process("collage-0").signal(SIGHUP);
  await_log(pipeline, "collage-0", "grid, tile or preprocess: differs from the one");
  EXPECT_EQ(versions(pipeline), std::set<std::string>{"collage-first"});
  EXPECT_TRUE(pipeline.stop());
}

}  // namespace
