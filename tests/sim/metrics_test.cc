// The metrics that alerts and the Grafana dashboard ask for exist: in the telemetry of a whole
// pipeline, among the records of the rules, or in what every process adds.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "replay/sim/fleet.h"

namespace replay::sim {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Not;

const std::filesystem::path kSource = COLLAGE_SOURCE_DIR;
const std::filesystem::path kMonitoring = kSource / "ansible/roles/monitoring/files";

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> all_matches(const std::string& text, const char* pattern, int group = 0) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    found.insert(at->str(static_cast<std::size_t>(group)));
  }
  return found;
}

// The names of the metrics of all machines, and those that stand in the sources of runtime/.
std::set<std::string> metrics() {
  FleetPolicy policy;
  policy.broker.labels = token_labels();
  policy.sink.joiner.classes = kLabels;
  policy.sink.patience.worker_max = 4;
  policy.membership = policy.sink.membership = {50ms, 1s};
  policy.classifiers = policy.assemblers = 1;
  TokenExecutor executor({.slots = 9, .single = {}, .paste = {}, .collage = {}}, machine::Rng(1));
  World world({}, machine::Rng(2));
  Fleet fleet(policy, world, executor, machine::Rng(3));
  fleet.start_all();
  std::set<std::string> names;
  for (NodeId node = 0; node < world.node_count(); ++node) {
    for (const machine::Metric& metric : world.machine(node)->telemetry().metrics) {
      names.insert(metric.name);
    }
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kSource / "runtime")) {
    if (entry.path().extension() != ".cc") continue;
    names.merge(all_matches(text_of(entry.path()), "\"((collage|process)_[a-z_]+)\"", 1));
  }
  return names;
}

// The records of the rules.
std::set<std::string> records() {
  return all_matches(text_of(kMonitoring / "rules.yml"), "record: (collage:[a-z0-9_:]+)", 1);
}

// The metrics that an expression names.
std::set<std::string> asked(const std::string& text) {
  std::set<std::string> names;
  for (const std::string& name : all_matches(text, "\\b(collage|process)_[a-z_]+")) {
    names.insert(std::regex_replace(name, std::regex("_(bucket|count|sum)$"), ""));
  }
  return names;
}

std::string dashboard_expressions() {
  std::string all;
  const auto json = nlohmann::json::parse(text_of(kMonitoring / "grafana_dashboard.json"));
  std::set<int> ids;
  for (const auto& panel : json.at("panels")) {
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second) << panel.at("title");
    if (panel.at("type") == "row") continue;
    EXPECT_FALSE(panel.at("targets").empty()) << panel.at("title");
    for (const auto& target : panel.at("targets")) {
      all += target.at("expr").get<std::string>() + "\n";
    }
  }
  return all;
}

TEST(Metrics, TheDashboardAsksForWhatExists) {
  const std::string expressions = dashboard_expressions();
  const std::set<std::string> exist = metrics(), known = records();
  EXPECT_GT(asked(expressions).size(), 10u);
  for (const std::string& name : asked(expressions)) EXPECT_THAT(exist, Contains(name));
  for (const std::string& name : all_matches(expressions, "\\bcollage:[a-z0-9_:]+")) {
    EXPECT_THAT(known, Contains(name));
  }
}

TEST(Metrics, TheRulesAskForWhatExists) {
  // Comments and annotations are no expressions, but name no metrics either.
  const std::string rules = text_of(kMonitoring / "rules.yml");
  const std::set<std::string> exist = metrics();
  EXPECT_GT(asked(rules).size(), 10u);
  for (const std::string& name : asked(rules)) EXPECT_THAT(exist, Contains(name));
  // One record is a bound of the inventory's.
  std::set<std::string> known = records();
  known.merge(all_matches(text_of(kMonitoring / "../templates/bounds.yml.j2"),
                          "record: (collage:[a-z0-9_:]+)", 1));
  for (const std::string& name : all_matches(rules, "\\bcollage:[a-z0-9_:]+")) {
    EXPECT_THAT(known, Contains(name));
  }
}

TEST(Metrics, EachAlertHasItsPlaceInTheRunbookAndEachPlaceAnAlert) {
  const std::set<std::string> alerts =
      all_matches(text_of(kMonitoring / "rules.yml"), "alert: (Collage[A-Za-z]+)", 1);
  const std::set<std::string> links =
      all_matches(text_of(kMonitoring / "rules.yml"), "runbook: docs/OPERATIONS.md#([a-z]+)\n", 1);
  const std::set<std::string> places =
      all_matches(text_of(kSource / "docs/OPERATIONS.md"), "<a id=\"(collage[a-z]+)\"></a>", 1);
  std::set<std::string> anchors;
  for (std::string name : alerts) {
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    anchors.insert(name);
  }
  EXPECT_GT(alerts.size(), 10u);
  EXPECT_EQ(anchors, links);
  EXPECT_EQ(anchors, places);
}

TEST(Metrics, ANameThatNobodyHasIsNotFound) {
  EXPECT_THAT(metrics(), Not(Contains("collage_requests_totals")));
  EXPECT_EQ(asked("rate(collage_a_b_bucket[5m])"), (std::set<std::string>{"collage_a_b"}));
}

}  // namespace
}  // namespace replay::sim
