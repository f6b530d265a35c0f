#include "replay/commands/scenario_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "replay/report/run_file.h"

namespace replay {
namespace {

using namespace std::chrono_literals;
using load::Fault;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Runs in virtual time alone: a live run needs models.
class ScenarioRunnerTest : public testing::Test {
 protected:
  ScenarioRunnerTest()
      : before_(std::filesystem::current_path()),
        out_(std::filesystem::path(testing::TempDir()) /
             (std::string("scenario_runner_") +
              testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(out_);
    // Pipelines and models are named as from the top of the source tree.
    std::filesystem::current_path(COLLAGE_SOURCE_DIR);
    scenario_.name = "small";
    scenario_.simulated_batches = 20;
    scenario_.policies = policies({"none", "equal"});
  }
  ~ScenarioRunnerTest() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(out_);
  }

  static std::vector<load::PolicyVariant> policies(const std::vector<std::string>& names) {
    std::vector<load::PolicyVariant> policies;
    for (const std::string& name : names) policies.push_back(*load::named_policy_variant(name));
    return policies;
  }

  // Returns the exit code; the messages for the user are then in `output_`.
  int run(bool alone = false) {
    ScenarioRunner runner(
        {.scenario = "small", .pipeline = "pipeline.yaml", .out = out_, .alone = alone}, scenario_,
        {.samples = {}, .costs = costs_, .machine = "a machine"});
    runtime::Signals signals;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = runner.run(signals);
    output_ = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
    return code;
  }

  const std::filesystem::path before_, out_;
  StoredCosts costs_{.costs = {.single_s = 0.01, .collage_s = 0.02, .decode = 1ms}};
  load::Scenario scenario_;
  std::string output_;
};

TEST_F(ScenarioRunnerTest, WritesARunThatCanBeReadBack) {
  EXPECT_EQ(run(), 0);
  const report::Summary summary = report::read_run(out_ / "small-sim");
  EXPECT_EQ(summary.mode, "sim");
  EXPECT_EQ(summary.machine, "a machine");
  EXPECT_EQ(summary.collage_time_ratio, 2);
  EXPECT_EQ(summary.command,
            "collage-replay run small --seed 1 --batches 0 --simulated 20 --policies none,equal");
  std::vector<std::string> names;
  for (const report::PolicyRun& policy : summary.policies) {
    names.push_back(policy.name);
    EXPECT_EQ(policy.per_batch.count, 20u);
    EXPECT_EQ(policy.violations, 0u);
  }
  EXPECT_THAT(names, ElementsAre("none", "equal"));
  EXPECT_TRUE(std::filesystem::exists(out_ / "small-sim/report.html"));
  EXPECT_FALSE(std::filesystem::exists(out_ / "small-live"));
  EXPECT_THAT(output_, HasSubstr("small-sim/summary.json"));
}

TEST_F(ScenarioRunnerTest, OneSeedAndTheCostsOfARunGiveTheSameFigures) {
  EXPECT_EQ(run(), 0);
  const StoredCosts stored = read_costs(out_ / "small-sim/costs.json");
  EXPECT_EQ(stored.costs.collage_s, 0.02);
  const auto text = [this] {
    std::ifstream in(out_ / "small-sim/summary.csv");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string first = text();
  costs_ = stored;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(text(), first);
  costs_.costs.single_s *= 1.01;
  EXPECT_EQ(run(), 0);
  EXPECT_NE(text(), first);
}

TEST_F(ScenarioRunnerTest, AloneItsFolderIsTheRun) {
  EXPECT_EQ(run(true), 0);
  EXPECT_TRUE(std::filesystem::exists(out_ / "sim/run.json"));
}

TEST_F(ScenarioRunnerTest, APolicyOfTheSimulatorAloneIsNotRunLive) {
  scenario_.policies = policies({"equal", "tied"});
  scenario_.live_batches = 5;
  scenario_.simulated_batches = 0;
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(output_, HasSubstr("equal is simulated only\ntied is simulated only\n"));
  EXPECT_FALSE(std::filesystem::exists(out_));
}

TEST_F(ScenarioRunnerTest, ASweepHasAPointForEachRateAndNumberOfCollageStages) {
  scenario_.policies = policies({"none", "brownout"});
  scenario_.arrivals = {.kind = load::Arrivals::Kind::poisson, .per_second = 50};
  scenario_.loads = {50, 100};
  scenario_.collage_counts = {1, 3};
  EXPECT_EQ(run(), 0);
  const report::Summary summary = report::read_run(out_ / "small-sim");
  EXPECT_TRUE(summary.policies.empty());
  ASSERT_EQ(summary.load.size(), 6u);
  EXPECT_EQ(summary.load[0].policy, "none");
  EXPECT_EQ(summary.load[0].collages, 0u);
  EXPECT_EQ(summary.load[5].policy, "brownout");
  EXPECT_EQ(summary.load[5].collages, 3u);
  EXPECT_EQ(summary.load[5].per_second, 100);
  for (const report::LoadPoint& point : summary.load) {
    EXPECT_EQ(point.offered, 180u);
    EXPECT_EQ(point.answered, 1);
    EXPECT_GT(point.p99_s, 0);
    EXPECT_EQ(point.violations, 0u);
  }
  EXPECT_THAT(output_, HasSubstr("brownout, collage stages: 3, 100/s: 100.0 % answered"));
}

TEST_F(ScenarioRunnerTest, AFloodIsComparedWithItsNeighboursAlone) {
  scenario_.policies = policies({"none"});
  scenario_.producers = {{.name = "flood", .per_second = 90, .floods = true},
                         {.name = "polite", .count = 3, .per_second = 10}};
  EXPECT_EQ(run(), 0);
  const report::Summary summary = report::read_run(out_ / "small-sim");
  ASSERT_EQ(summary.policies.size(), 1u);
  ASSERT_EQ(summary.producers.size(), 7u);  // Four, and three alone.
  ASSERT_EQ(summary.groups.size(), 3u);
  EXPECT_EQ(summary.groups[0].producer, "flood");
  EXPECT_EQ(summary.groups[0].offered + summary.groups[1].offered, 180u);
  EXPECT_TRUE(summary.groups[2].alone);
  EXPECT_EQ(summary.groups[2].offered, 45u);
}

TEST_F(ScenarioRunnerTest, PrintsTheFaultsThatItLeavesOut) {
  scenario_.policies = policies({"none"});
  scenario_.faults = {{.what = Fault::What::hog, .node = "sink", .length = 1s},
                      {.what = Fault::What::stop, .node = "classifier-1", .length = 1ms}};
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(output_, HasSubstr("left out in virtual time: hog next to sink\n"));
  EXPECT_THAT(output_, Not(HasSubstr("left out in virtual time: stop")));
  const report::Summary summary = report::read_run(out_ / "small-sim");
  ASSERT_EQ(summary.policies[0].faults.size(), 2u);  // The stop begins and ends.
  EXPECT_EQ(summary.policies[0].faults[0].what, "stop classifier-1");
}

}  // namespace
}  // namespace replay
