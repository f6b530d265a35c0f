#include "replay/scenario_reader.h"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>

#include "replay/load/points.h"
#include "runtime/config/config_error.h"
#include "runtime/pipeline/variant.h"
#include "tests/environment.h"

namespace replay {
namespace {

using namespace std::chrono_literals;
using load::Arrivals;
using load::Fault;
using load::Scenario;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;
using testing::ThrowsMessage;

const std::filesystem::path kSource = COLLAGE_SOURCE_DIR;

class ScenarioFile : public testing::Test {
 protected:
  ScenarioFile()
      : file_(std::filesystem::path(testing::TempDir()) /
              (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
               ".yaml")) {}
  ~ScenarioFile() override { std::filesystem::remove(file_); }

  Scenario load(const std::string& text) const {
    std::ofstream(file_) << kHead << text;
    return load_scenario(file_);
  }
  void refuses(const std::string& text, const std::string& what) const {
    EXPECT_THAT([&] { load(text); }, ThrowsMessage<runtime::ConfigError>(HasSubstr(what))) << text;
  }

  static constexpr const char* kHead = "about: A test.\nlive_batches: 10\nsimulated_batches: 20\n";
  const std::filesystem::path file_;
};

TEST_F(ScenarioFile, HasDefaultsForAllButItsLengthAndPolicies) {
  const Scenario scenario = load("policies: [none, collage]\n");
  EXPECT_EQ(scenario.name, file_.stem());
  EXPECT_EQ(scenario.grid, 3);
  EXPECT_EQ(scenario.classifiers, 9u);
  EXPECT_EQ(scenario.arrivals.kind, Arrivals::Kind::idle_batches);
  EXPECT_FALSE(scenario.latency.source.has_value());
  EXPECT_EQ(scenario.live_batches, 10u);
  EXPECT_EQ(scenario.simulated_batches, 20u);
}

TEST_F(ScenarioFile, IsReadWhole) {
  const Scenario scenario = load(
      "policies: [collage-hedge]\ngrid: 2\nclassifiers: 5\ncollages: 2\nseed: 7\n"
      "arrivals: {kind: poisson, per_second: 40, burst: 3}\n"
      "latency: {source: pareto, shape: 1.5, scale: 100ms}\n"
      "slow: {stages: [classifier-4], factor: 3, for: 1m}\n"
      "faults:\n  - {what: stop, node: collage-1, after: 2s, for: 500ms}\n"
      "settings: [broker.linger=7ms]\n");
  EXPECT_EQ(scenario.arrivals.per_second, 40);
  EXPECT_EQ(scenario.arrivals.burst, 3u);
  EXPECT_EQ(scenario.latency.spell.factor, 3);
  ASSERT_EQ(scenario.faults.size(), 1u);
  EXPECT_EQ(scenario.faults[0].what, Fault::What::stop);
  EXPECT_EQ(scenario.faults[0].length, wire::Duration(500ms));
  const auto keys = pipeline_keys(scenario, scenario.policies.front());
  EXPECT_THAT(keys, AllOf(Contains(Pair("policy", "collage-hedge")), Contains(Pair("grid", "2")),
                          Contains(Pair("emulation.source", "pareto")),
                          Contains(Pair("emulation.slow", "[classifier-4]")),
                          Contains(Pair("broker.linger", "7ms"))));
}

TEST_F(ScenarioFile, MayNameModelsOfAUsersOwn) {
  const Scenario scenario = load(
      "policies: [collage]\nmodels: {single: my.yaml, collage: /c/mine.yaml, pictures: pets}\n");
  ASSERT_TRUE(scenario.own);
  EXPECT_EQ(scenario.own->pictures, file_.parent_path() / "pets");
  EXPECT_THAT(
      pipeline_keys(scenario, scenario.policies.front()),
      AllOf(Contains(Pair("models.single",
                          std::filesystem::absolute(file_.parent_path() / "my.yaml").string())),
            Contains(Pair("models.collage", "/c/mine.yaml"))));
  refuses("policies: [collage]\nmodels: {single: my.yaml, collage: c.yaml}\n", "models.pictures");
  refuses("policies: [collage]\ndataset: fashion\nmodels: {single: my.yaml}\n",
          "models: is given, and so is dataset");
}

TEST_F(ScenarioFile, ListsOfRatesAndOfCollageStagesAreASweep) {
  const Scenario one = load("policies: [none]\narrivals: {kind: poisson, per_second: 40}\n");
  EXPECT_FALSE(one.sweeps());
  const Scenario sweep = load(
      "policies: [none, brownout]\ncollages: [1, 3]\n"
      "arrivals: {kind: poisson, per_second: [29, 40.6]}\n");
  EXPECT_TRUE(sweep.sweeps());
  EXPECT_THAT(sweep.loads, testing::ElementsAre(29, 40.6));
  EXPECT_THAT(sweep.collage_counts, testing::ElementsAre(1, 3));
  EXPECT_EQ(points_of(sweep).size(), 6u);
  EXPECT_THAT(pipeline_keys(sweep, sweep.policies[1]),
              AllOf(Contains(Pair("policy", "collage-hedge")),
                    Contains(Pair("broker.overload", "brownout"))));
}

TEST_F(ScenarioFile, StepsAndProducersAreRead) {
  const Scenario steps = load(
      "policies: [none]\n"
      "arrivals: {kind: steps, steps: [{per_second: 5, for: 20s}, {per_second: 50, for: 10s}]}\n");
  ASSERT_EQ(steps.arrivals.steps.size(), 2u);
  EXPECT_EQ(steps.arrivals.cycle(), wire::Duration(30s));
  EXPECT_EQ(steps.arrivals.mean_per_second(), 20);
  const Scenario flood = load(
      "policies: [none]\nproducers:\n  - {name: flood, per_second: 100, floods: true}\n"
      "  - {name: polite, count: 10, per_second: 3, priority: high}\n");
  ASSERT_EQ(flood.producers.size(), 2u);
  EXPECT_TRUE(flood.producers[0].floods);
  EXPECT_EQ(flood.producers[1].count, 10u);
  EXPECT_EQ(flood.producers[1].priority, wire::Priority::high);
}

TEST_F(ScenarioFile, LoadsItCannotMeanAreRefused) {
  const auto arrivals = [&](const std::string& text, const std::string& what) {
    refuses("policies: [none]\narrivals: {" + text + "}\n", what);
  };
  arrivals("kind: poisson, per_second: []", "must have at least one number");
  arrivals("kind: poisson, per_second: [40, fast]",
           "arrivals.per_second: has 'fast', must be numbers from 0.001 to 1");
  arrivals("kind: poisson, per_second: [0]", "has '0', must be numbers");
  arrivals("kind: steps", "must have at least one step");
  arrivals("kind: steps, steps: [{per_second: 5}]", "steps[0].for");
  arrivals("kind: steps, steps: [{per_second: 0, for: 1s}]", "steps[0].per_second");
  refuses("policies: [none]\ncollages: [1, 3]\n", "arrivals.per_second must be one, too");
  refuses("policies: [none]\ncollages: [1.5]\n", "collages: must be whole numbers");
  refuses("policies: [none]\ncollages: [0]\n", "has '0', must be numbers from 1");
  const auto producers = [&](const std::string& text, const std::string& what) {
    refuses("policies: [none]\nproducers: [" + text + "]\n", what);
  };
  producers("{name: a}", "per_second");
  producers("{name: a, share: 0.5}", "needs arrivals of kind poisson");
  producers("{name: a, per_second: 5, floods: true}", "must have one that does not flood");
  producers("{name: a, per_second: 5, priority: highest}", "priority");
  const std::string poisson = "policies: [none]\narrivals: {kind: poisson, per_second: 40}\n";
  refuses(poisson + "producers: [{name: a, share: 0.5}, {name: b, share: 0.4}]\n",
          "the shares must add up to 1");
  refuses(poisson + "producers: [{name: a, share: 1}, {name: b, per_second: 4}]\n",
          "must all have a share");
  refuses(poisson + "producers: [{name: a, per_second: 4}]\n", "have no meaning");
}

TEST_F(ScenarioFile, EqualIsNoRedundancyAndTheCollagesNodeAsOneMoreClassifier) {
  const Scenario scenario = load("policies: [none, equal, collage, duplicate]\nclassifiers: 9\n");
  ASSERT_EQ(scenario.policies.size(), 4u);
  const load::PolicyVariant& equal = scenario.policies[1];
  EXPECT_TRUE(equal.simulated_only);
  EXPECT_THAT(pipeline_keys(scenario, equal), Contains(Pair("policy", "none")));
  EXPECT_EQ(stages_of(scenario, scenario.policies[0]).classifiers, 9u);
  EXPECT_EQ(stages_of(scenario, equal).classifiers, 10u);
  EXPECT_EQ(stages_of(load("policies: [equal]\ncollages: 2\n"), equal).classifiers, 11u);
  EXPECT_EQ(stages_of(scenario, equal).collages, 0u);
  EXPECT_EQ(stages_of(scenario, scenario.policies[2]).collages, 1u);
  EXPECT_EQ(stages_of(scenario, scenario.policies[3]).classifiers, 18u);
}

TEST_F(ScenarioFile, TiedIsTheSameWithTwoStagesAnImage) {
  const Scenario scenario = load("policies: [tied]\n");
  const load::PolicyVariant& tied = scenario.policies.front();
  EXPECT_TRUE(tied.simulated_only);
  EXPECT_EQ(stages_of(scenario, tied).classifiers, 10u);
  EXPECT_EQ(tied.ties, 2);
}

TEST_F(ScenarioFile, WhatItCannotMeanIsRefused) {
  refuses("policies: [nonsense]\n", "policies: has 'nonsense', must be some of none, hedge");
  refuses("policies: [nonsense]\n", "collage-first, equal, tied");
  refuses("policies: []\n", "must name at least one policy");
  refuses("policies: [none]\nslow: {stages: [classifier-1], factor: 2}\n", "needs a latency");
  refuses("policies: [none]\nfaults: [{what: kill, node: classifier-9}]\n",
          "there is no 'classifier-9'");
  refuses("policies: [none]\nfaults: [{what: stop, node: sink}]\n", "for");
  refuses("policies: [none]\nsettings: [linger]\n", "must be key=value");
  refuses("policies: [none]\nspeed: 3\n", "speed");
}

TEST(ScenarioName, ThatIsUnknownIsAnsweredWithTheNearest) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(kSource);
  EXPECT_THAT([] { scenario_file("busy-flete"); },
              ThrowsMessage<runtime::ConfigError>(HasSubstr("did you mean busy-fleet?")));
  EXPECT_EQ(scenario_file("churn"), "replay/scenarios/churn.yaml");
  std::filesystem::current_path(before);
}

TEST(ShippedScenarios, AreValidAndSoAreTheirPipelines) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(kSource);
  // What a user would put there.
  const std::filesystem::path data = std::filesystem::path(testing::TempDir()) / "shipped_data";
  std::filesystem::create_directories(data);
  std::ofstream(data / "cloud-latency-2019.csv.gz") << "seconds\n0.1\n";
  const EnvironmentVariable variable("COLLAGE_DATA", data.string());
  int scenarios = 0;
  for (const auto& entry : std::filesystem::directory_iterator("replay/scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    const Scenario scenario = load_scenario(entry.path());
    for (const load::PolicyVariant& policy : scenario.policies) {
      const std::string text =
          runtime::pipeline_variant("pipeline.yaml", pipeline_keys(scenario, policy));
      const sim::FleetPolicy fleet =
          simulated_fleet(scenario, policy, runtime::parse_pipeline(text, "pipeline.yaml"));
      EXPECT_GE(fleet.classifiers, scenario.slots()) << entry.path();
    }
    ++scenarios;
  }
  std::filesystem::current_path(before);
  std::filesystem::remove_all(data);
  EXPECT_GE(scenarios, 21);
}

}  // namespace
}  // namespace replay
