#include "replay/scenario_reader.h"

#include <algorithm>
#include <cmath>

#include "broker/policy.h"
#include "runtime/config/config_error.h"
#include "runtime/config/quantity.h"
#include "runtime/config/suggest.h"
#include "runtime/service/install_paths.h"
#include "stages/emulation_reader.h"
#include "stages/served_models.h"
#include "wire/check.h"

namespace replay {
namespace {

using load::Arrivals;
using load::Fault;
using load::Scenario;

std::filesystem::path scenario_folder() { return runtime::installed_path("replay/scenarios"); }

constexpr double kRateMin = 0.001, kRateMax = 1e7;  // Images a second.

// A list of numbers, or one number alone.  Requires that the key is there.
std::vector<double> read_numbers(runtime::Section& s, const std::string& key, double min,
                                 double max) {
  if (!s.is_list(key)) return {s.number(key, min, max)};
  std::vector<double> numbers;
  for (const std::string& text : s.texts(key)) {
    const auto number = runtime::parse_number(text);
    if (!number || *number < min || *number > max) {
      s.fail(key, "has " + runtime::in_quotes(text) + ", must be numbers from " +
                      runtime::number_text(min) + " to " + runtime::number_text(max));
    }
    numbers.push_back(*number);
  }
  if (numbers.empty()) s.fail(key, "must have at least one number");
  return numbers;
}

// Reads arrivals, and the rates of a sweep into `loads`.
Arrivals read_arrivals(runtime::Section s, const std::filesystem::path& folder,
                       std::vector<double>& loads) {
  using Kind = Arrivals::Kind;
  Arrivals arrivals;
  arrivals.kind = s.choice<Kind>("kind",
                                 {{"idle-batches", Kind::idle_batches},
                                  {"busy-batches", Kind::busy_batches},
                                  {"poisson", Kind::poisson},
                                  {"recorded", Kind::recorded},
                                  {"steps", Kind::steps}},
                                 Kind::idle_batches);
  if (arrivals.kind == Kind::poisson) {
    const std::vector<double> rates = read_numbers(s, "per_second", kRateMin, kRateMax);
    arrivals.per_second = rates.front();
    if (s.is_list("per_second")) loads = rates;
    arrivals.burst = static_cast<std::size_t>(s.integer("burst", 1, 100'000, 1));
  }
  if (arrivals.kind == Kind::recorded) {
    arrivals.gaps_s =
        std::make_shared<std::vector<double>>(runtime::load_series(folder / s.text("file")));
  }
  if (arrivals.kind == Kind::steps) {
    for (runtime::Section step : s.sections("steps")) {
      arrivals.steps.push_back(
          {.per_second = step.number("per_second", kRateMin, kRateMax),
           .length = step.duration("for", std::chrono::milliseconds(1), wire::kDurationMax)});
    }
    if (arrivals.steps.empty()) s.fail("steps", "must have at least one step");
  }
  return arrivals;
}

// Reads the number of collage stages, and the numbers of a sweep.
void read_collages(runtime::Section& root, Scenario& scenario) {
  constexpr std::size_t kMax = 10'000;
  if (!root.is_list("collages")) {
    scenario.collages = static_cast<std::size_t>(root.integer("collages", 0, kMax, 0));
    return;
  }
  for (const double count : read_numbers(root, "collages", 1, kMax)) {
    if (count != std::floor(count)) root.fail("collages", "must be whole numbers");
    scenario.collage_counts.push_back(static_cast<std::size_t>(count));
  }
  scenario.collages = scenario.collage_counts.front();
}

load::ProducerGroup read_producers(runtime::Section s, const Scenario& scenario) {
  using wire::Priority;
  load::ProducerGroup group;
  group.name = s.text("name");
  group.count = static_cast<std::size_t>(s.integer("count", 1, 200, 1));
  if (s.has("share")) {
    group.share = s.number("share", 0.001, 1);
    if (scenario.arrivals.mean_per_second() == 0) {
      s.fail("share", "needs arrivals of kind poisson, of which it is the share");
    }
  } else {
    group.per_second = s.number("per_second", kRateMin, kRateMax);
  }
  group.floods = s.flag("floods", false);
  group.priority = s.choice<Priority>(
      "priority", {{"low", Priority::low}, {"normal", Priority::normal}, {"high", Priority::high}},
      Priority::normal);
  return group;
}

// Requires that the arrivals have been read.
void read_all_producers(runtime::Section& root, Scenario& scenario) {
  for (const runtime::Section& s : root.sections("producers")) {
    scenario.producers.push_back(read_producers(s, scenario));
  }
  const auto& groups = scenario.producers;
  if (groups.empty()) return;
  if (scenario.arrivals.kind == Arrivals::Kind::steps) {
    root.fail("producers", "cannot be combined with arrivals of kind steps");
  }
  if (std::ranges::all_of(groups, &load::ProducerGroup::floods)) {
    root.fail("producers", "must have one that does not flood");
  }
  if (groups.front().share == 0 && root.has("arrivals")) {
    root.fail("arrivals", "have no meaning, for the producers have rates of their own");
  }
  double shares = 0;
  for (const load::ProducerGroup& group : groups) shares += group.share;
  const bool any = shares > 0;
  if (any && (std::ranges::any_of(groups, [](const auto& one) { return one.share == 0; }) ||
              std::abs(shares - 1) > 1e-6)) {
    root.fail("producers", "must all have a share, and the shares must add up to 1");
  }
}

// Whether the scenario has a process of this name.
bool known(const Scenario& scenario, const std::string& node) {
  if (node == "broker" || node == "sink") return true;
  const auto within = [&](const std::string& prefix, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (node == prefix + std::to_string(i)) return true;
    }
    return false;
  };
  const std::size_t collages = scenario.collages > 0 ? scenario.collages : 2;
  return within("classifier-", scenario.classifiers) || within("collage-", collages);
}

Fault read_fault(runtime::Section s, const Scenario& scenario) {
  using What = Fault::What;
  Fault fault;
  fault.what = s.choice<What>("what", {{"kill", What::kill},
                                       {"stop", What::stop},
                                       {"restart", What::restart},
                                       {"hog", What::hog},
                                       {"link", What::link},
                                       {"garbage", What::garbage}});
  fault.node = s.text("node");
  if (!known(scenario, fault.node)) {
    s.fail("node", "there is no " + runtime::in_quotes(fault.node) +
                       ", must be broker, sink, classifier-<i> or collage-<i>");
  }
  fault.after = s.duration("after", {}, wire::kDurationMax, wire::Duration{});
  const bool lasts =
      fault.what == What::stop || fault.what == What::hog || fault.what == What::garbage;
  fault.length = lasts ? s.duration("for", {}, wire::kDurationMax)
                       : s.duration("for", {}, wire::kDurationMax, wire::Duration{});
  if (fault.what == What::link) {
    fault.delay = s.duration("delay", {}, std::chrono::minutes(1), wire::Duration{});
    fault.loss = s.number("loss", 0, 1, 0.0);
  }
  return fault;
}

load::Slowness read_slowness(runtime::Section root, const std::filesystem::path& folder,
                             const Scenario& scenario) {
  load::Slowness slowness;
  if (root.has("latency")) {
    runtime::Section s = root.section("latency");
    const runtime::Latency latency = runtime::read_latency(s, folder);
    slowness.source = stages::latency_source(latency);
    slowness.keys = runtime::latency_keys(latency);
  }
  if (root.has("slow")) {
    if (!slowness.source) root.fail("slow", "needs a latency that can be slowed");
    runtime::Section s = root.section("slow");
    slowness.slow = s.texts("stages");
    for (const std::string& name : slowness.slow) {
      if (!known(scenario, name)) s.fail("stages", "there is no " + runtime::in_quotes(name));
    }
    slowness.spell.factor = s.number("factor", 0, 1000);
    slowness.spell.after = s.duration("after", {}, wire::kDurationMax, wire::Duration{});
    slowness.spell.length = s.duration("for", {}, wire::kDurationMax, wire::kDurationMax);
    std::string names;
    for (const std::string& name : slowness.slow) names += (names.empty() ? "" : ", ") + name;
    slowness.keys.insert(slowness.keys.end(),
                         {{"slow", "[" + names + "]"},
                          {"slow_factor", runtime::number_text(slowness.spell.factor)},
                          {"slow_after", runtime::duration_text(slowness.spell.after)},
                          {"slow_for", runtime::duration_text(slowness.spell.length)}});
  }
  return slowness;
}

std::vector<load::PolicyVariant> read_policies(runtime::Section root) {
  std::vector<load::PolicyVariant> policies;
  for (const std::string& name : root.texts("policies")) {
    const auto policy = load::named_policy_variant(name);
    if (!policy) {
      root.fail("policies", "has " + runtime::in_quotes(name) + ", must be some of " +
                                load::policy_variant_names());
    }
    policies.push_back(*policy);
  }
  if (policies.empty()) root.fail("policies", "must name at least one policy");
  return policies;
}

// Splits "broker.linger=5ms" into {"broker.linger", "5ms"}; the pipeline checks key and value.
std::vector<std::pair<std::string, std::string>> read_settings(runtime::Section root) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const std::string& line : root.texts("settings", std::vector<std::string>{})) {
    const std::size_t equals = line.find('=');
    if (equals == line.npos) {
      root.fail("settings", "has " + runtime::in_quotes(line) + ", must be key=value");
    }
    settings.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return settings;
}

std::optional<load::OwnModels> read_own(runtime::Section& root,
                                        const std::filesystem::path& folder) {
  if (!root.has("models")) return std::nullopt;
  if (root.has("dataset")) root.fail("models", "is given, and so is dataset; expected one of them");
  runtime::Section section = root.section("models");
  return load::OwnModels{.single = folder / section.text("single"),
                         .collage = folder / section.text("collage"),
                         .pictures = folder / section.text("pictures")};
}

std::pair<std::string, std::string> models_of(const Scenario& scenario) {
  if (scenario.own) {
    return {std::filesystem::absolute(scenario.own->single).string(),
            std::filesystem::absolute(scenario.own->collage).string()};
  }
  const std::string side = std::to_string(scenario.grid);
  const std::filesystem::path models = std::filesystem::absolute(runtime::installed_path("models"));
  return {(models / (scenario.dataset + "_single.yaml")).string(),
          (models / (scenario.dataset + "_collage_" + side + "x" + side + ".yaml")).string()};
}

}  // namespace

Scenario load_scenario(const std::filesystem::path& file) {
  const runtime::Document document = runtime::Document::load(file);
  runtime::Section root = document.root();
  Scenario scenario;
  scenario.name = file.stem();
  scenario.about = root.text("about");
  scenario.grid = static_cast<int>(root.integer("grid", wire::kGridSideMin, wire::kGridSideMax, 3));
  scenario.own = read_own(root, file.parent_path());
  scenario.dataset = root.text("dataset", "fashion");
  scenario.classifiers = static_cast<std::size_t>(
      root.integer("classifiers", 1, 100'000, static_cast<std::int64_t>(scenario.slots())));
  read_collages(root, scenario);
  scenario.policies = read_policies(root);
  scenario.arrivals = read_arrivals(root.section("arrivals"), file.parent_path(), scenario.loads);
  read_all_producers(root, scenario);
  if (!scenario.collage_counts.empty() && scenario.loads.empty()) {
    root.fail("collages", "is a list, so arrivals.per_second must be one, too");
  }
  scenario.latency = read_slowness(root, file.parent_path(), scenario);
  for (const runtime::Section& s : root.sections("faults")) {
    scenario.faults.push_back(read_fault(s, scenario));
  }
  scenario.live_batches = static_cast<std::size_t>(root.integer("live_batches", 0, 10'000'000));
  scenario.simulated_batches =
      static_cast<std::size_t>(root.integer("simulated_batches", 0, 10'000'000));
  scenario.warm_up = static_cast<std::size_t>(root.integer("warm_up", 0, 10'000, 12));
  scenario.seed = static_cast<std::uint64_t>(root.integer("seed", 0, INT64_MAX, 1));
  scenario.settings = read_settings(root);
  document.finish();
  return scenario;
}

std::filesystem::path scenario_file(const std::string& name) {
  if (std::filesystem::is_regular_file(name)) return name;
  const std::filesystem::path shipped = scenario_folder() / (name + ".yaml");
  if (std::filesystem::is_regular_file(shipped)) return shipped;
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(scenario_folder(), ignored)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  std::string all;
  for (const std::string& one : names) all += (all.empty() ? "" : ", ") + one;
  const auto meant = runtime::nearest(name, names);
  throw runtime::ConfigError("there is no scenario " + runtime::in_quotes(name) +
                             ", must be a file or one of " + all +
                             (meant ? "; did you mean " + *meant + "?" : ""));
}

std::vector<std::pair<std::string, std::string>> pipeline_keys(const Scenario& scenario,
                                                               const load::PolicyVariant& policy) {
  const auto [single, collage] = models_of(scenario);
  std::vector<std::pair<std::string, std::string>> keys = {{"grid", std::to_string(scenario.grid)},
                                                           {"policy", policy.pipeline_policy},
                                                           {"models.single", single},
                                                           {"models.collage", collage}};
  for (const auto& [key, value] : scenario.latency.keys) {
    keys.emplace_back("emulation." + key, value);
  }
  if (scenario.latency.source) {
    keys.emplace_back("emulation.seed", std::to_string(scenario.seed));
  }
  keys.insert(keys.end(), scenario.settings.begin(), scenario.settings.end());
  keys.insert(keys.end(), policy.settings.begin(), policy.settings.end());
  return keys;
}

Stages stages_of(const Scenario& scenario, const load::PolicyVariant& policy) {
  const auto redundancy = broker::named_redundancy(policy.pipeline_policy);
  COLLAGE_CHECK(redundancy.has_value());
  const auto covers = static_cast<std::size_t>(redundancy->collages_per_batch);
  const auto copies = static_cast<std::size_t>(redundancy->singles_per_image);
  const std::size_t more =
      policy.collages_classify ? std::max<std::size_t>(scenario.collages, 1) : 0;
  return {.classifiers = scenario.classifiers * copies + more,
          .collages = covers == 0 ? 0 : std::max(scenario.collages, covers)};
}

sim::FleetPolicy simulated_fleet(const Scenario& scenario, const load::PolicyVariant& policy,
                                 const runtime::Pipeline& pipeline) {
  sim::FleetPolicy fleet;
  fleet.broker = pipeline.broker;
  fleet.broker.labels = stages::read_single(pipeline).class_names;
  fleet.broker.redundancy.ties = policy.ties;
  fleet.sink = pipeline.sink;
  fleet.sink.joiner.classes = fleet.broker.labels.size();
  fleet.membership = pipeline.stages.membership;
  fleet.producer.deadline = pipeline.broker.deadline;
  const Stages stages = stages_of(scenario, policy);
  fleet.classifiers = stages.classifiers;
  fleet.assemblers = stages.collages;
  fleet.classifier_capacity = pipeline.stages.classifier_capacity.value_or(1);
  fleet.assembler_capacity = pipeline.stages.batches_max;
  fleet.collage_capacity = pipeline.stages.collage_capacity;
  fleet.latency = scenario.latency.source;
  for (const std::string& name : scenario.latency.slow) {
    fleet.spells[name] = scenario.latency.spell;
  }
  return fleet;
}

}  // namespace replay
