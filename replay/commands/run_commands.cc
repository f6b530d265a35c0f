// collage-replay run and demo: a scenario, live and in virtual time, under each of its policies.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imaging/library.h"
#include "models/serving/manifest_reader.h"
#include "replay/commands/commands.h"
#include "replay/commands/cost_model.h"
#include "replay/commands/samples.h"
#include "replay/commands/scenario_runner.h"
#include "replay/scenario_reader.h"
#include "runtime/config/config_error.h"
#include "runtime/pipeline/variant.h"
#include "runtime/service/install_paths.h"
#include "stages/served_models.h"

namespace replay {
namespace {

using load::Scenario;

// Enough different images for the measurement of decoding, even if no batch is run live.
constexpr std::size_t kSampleBatchesMin = 12;

struct RunOptions {
  std::string scenario = "demo";  // A name in replay/scenarios, or a file.
  std::filesystem::path pipeline = runtime::default_pipeline();
  bool deployed = false;
  bool print_pipeline = false;  // Whether only the first policy's pipeline file is printed.
  std::filesystem::path out = "out/replay";
  bool alone = false;
  // Each of these replaces the scenario's own value if it is given.
  std::optional<std::uint64_t> seed;
  std::optional<std::size_t> batches;
  std::optional<std::size_t> simulated_batches;
  std::vector<std::string> policies;
  load::OwnModels own;          // Each may be empty.
  std::filesystem::path costs;  // A file of costs; empty: those of the last run, or measured.
  bool measure = false;         // Whether costs are measured although the last run has some.

  ScenarioRunner::Options of_runner() const {
    return {.scenario = scenario,
            .pipeline = pipeline,
            .deployed = deployed,
            .out = out,
            .alone = alone,
            .costs = costs,
            .own_models = !own.single.empty()};
  }
};

// The scenario with the values that the command line replaces.
Scenario scenario_of(const RunOptions& options) {
  Scenario scenario = load_scenario(scenario_file(options.scenario));
  if (options.seed) scenario.seed = *options.seed;
  if (options.batches) scenario.live_batches = *options.batches;
  if (options.simulated_batches) scenario.simulated_batches = *options.simulated_batches;
  if (!options.own.single.empty()) scenario.own = options.own;
  if (options.policies.empty()) return scenario;
  scenario.policies.clear();
  for (const std::string& name : options.policies) {
    const auto policy = load::named_policy_variant(name);
    if (!policy) {
      throw runtime::ConfigError("--policies: there is no policy " + name + ", must be some of " +
                                 load::policy_variant_names());
    }
    scenario.policies.push_back(*policy);
  }
  return scenario;
}

// Throws ConfigError unless the deployed pipeline is the one that the scenario describes: the
// report would otherwise name another pipeline than the one that was measured.
void check_deployed(const RunOptions& options, const Scenario& scenario) {
  if (scenario.policies.size() != 1) {
    throw runtime::ConfigError(
        "--deployed: the pipeline has one policy; choose one with --policies");
  }
  const load::PolicyVariant& policy = scenario.policies.front();
  const std::filesystem::path& file = options.pipeline;
  const auto keys = pipeline_keys(scenario, policy);
  if (runtime::pipeline_variant(file, keys) == runtime::pipeline_variant(file, {})) return;
  throw runtime::ConfigError(file.string() + ": is not the pipeline of " + scenario.name +
                             " under " + policy.name + "; --print-pipeline prints that");
}

// What the manifest of a model tells of its test images; nullopt if it does not.
std::optional<double> known_accuracy(const std::filesystem::path& manifest) {
  const double accuracy = models::load_manifest(manifest).origin.test_accuracy;
  return accuracy > 0 ? std::optional(accuracy) : std::nullopt;
}

// The times that the models take: from the file that the user gives, or from the last run, or
// measured now.  Repeated with the same costs, a simulation gives the same figures.
StoredCosts costs_of(const RunOptions& options, const Scenario& scenario,
                     const runtime::Pipeline& pipeline, const std::vector<Sample>& samples) {
  if (!options.costs.empty()) return read_costs(options.costs);
  const std::vector<std::string> models = {models::load_manifest(pipeline.models.single).version,
                                           models::load_manifest(pipeline.models.collage).version};
  const std::string machine = machine_description();
  const std::filesystem::path file =
      ScenarioRunner::folder(options.of_runner(), scenario.name, load::Mode::simulated) /
      ScenarioRunner::kCostsFile;
  // Those of other pictures would have another time of decoding.
  const bool measure = options.measure || scenario.own;
  const auto earlier = measure ? std::nullopt : earlier_costs(file, models, machine);
  if (!earlier) return {measure_costs(pipeline, samples), {}, models, machine};
  std::fprintf(stderr, "compute times are those of %s; --measure takes new ones\n", file.c_str());
  return *earlier;
}

std::vector<Sample> samples_of(const Scenario& scenario) {
  const std::size_t batches = std::max(scenario.live_batches, kSampleBatchesMin);
  const std::size_t count = batches * scenario.slots();
  if (!scenario.own) return choose_samples(test_images(scenario.dataset), count, scenario.seed);
  return own_samples(scenario.own->pictures,
                     models::load_manifest(scenario.own->single).class_names, count, scenario.seed);
}

// Requires an imaging::Library for as long as the inputs are used.
ScenarioRunner::Inputs measure_inputs(const RunOptions& options, const Scenario& scenario) {
  ScenarioRunner::Inputs inputs;
  inputs.samples = samples_of(scenario);
  const runtime::Pipeline pipeline = runtime::parse_pipeline(
      runtime::pipeline_variant(options.pipeline,
                                pipeline_keys(scenario, scenario.policies.front())),
      options.pipeline);
  stages::check_collage(pipeline);
  inputs.costs = costs_of(options, scenario, pipeline, inputs.samples);
  inputs.single_accuracy = known_accuracy(pipeline.models.single);
  inputs.collage_accuracy = known_accuracy(pipeline.models.collage);
  inputs.machine = machine_description();
  inputs.host = host_name();
  if (scenario.own) inputs.thumbnail = thumbnail;
  inputs.draw_collage = draw_collages_of(models::load_manifest(pipeline.models.collage));
  return inputs;
}

int run(const RunOptions& options) {
  Scenario scenario = scenario_of(options);
  if (options.print_pipeline) {
    const auto keys = pipeline_keys(scenario, scenario.policies.front());
    std::fputs(runtime::pipeline_variant(options.pipeline, keys).c_str(), stdout);
    return 0;
  }
  if (options.deployed) check_deployed(options, scenario);
  // Before the measurement, so that Ctrl-C is noticed from the beginning.
  runtime::Signals signals;
  const imaging::Library library;
  ScenarioRunner::Inputs inputs = measure_inputs(options, scenario);
  return ScenarioRunner(options.of_runner(), std::move(scenario), std::move(inputs)).run(signals);
}

void add_options(CLI::App& verb, RunOptions& options) {
  verb.add_option("--pipeline", options.pipeline, "The pipeline file that the scenario changes.")
      ->capture_default_str();
  verb.add_option("--out", options.out, "Folder for the results.")->capture_default_str();
  verb.add_option("--seed", options.seed, "Seed of latencies, images, arrivals and intervals.");
  verb.add_option("--batches", options.batches, "Live batches of each policy; 0 for none.")
      ->check(CLI::Range(0, 10'000'000));
  verb.add_option("--simulated", options.simulated_batches,
                  "Simulated batches of each policy; 0 for none.")
      ->check(CLI::Range(0, 10'000'000));
  verb.add_option("--policies", options.policies, "Comma-separated.")->delimiter(',');
  CLI::Option* single =
      verb.add_option("--single", options.own.single,
                      "Models of your own in place of the scenario's: the manifest of the s-CNN,");
  CLI::Option* collage = verb.add_option("--collage", options.own.collage,
                                         "that of its collage-CNN, of the scenario's grid,");
  CLI::Option* pictures = verb.add_option(
      "--pictures", options.own.pictures,
      "and pictures to send: a folder or tar archive with a folder for each class.");
  single->needs(collage)->needs(pictures);
  collage->needs(single);
  pictures->needs(single);
  verb.add_option(
      "--costs", options.costs,
      "File of compute times for the simulation, as every run writes it to costs.json in\n"
      "its folder; with the same costs and seed a simulation gives the same figures.");
  verb.add_flag("--measure", options.measure,
                "Measures the compute times, and does not take those of the last run.");
}

}  // namespace

void add_run_command(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand(
      "run",
      "Runs a scenario live (real processes on this host) and simulated (the same machines\n"
      "under virtual time), under each of its policies, and reports.\n\n"
      "  collage-replay run paper-figure-4\n"
      "  collage-replay run busy-fleet --batches 0 --policies none,collage   simulated only");
  verb->add_option("scenario", options->scenario, "A name in replay/scenarios, or a file.")
      ->capture_default_str();
  add_options(*verb, *options);
  verb->add_flag(
      "--deployed", options->deployed,
      "Sends the load to the pipeline of --pipeline, which is already up, on any hosts.\n"
      "It must be as the scenario and its one policy describe it; faults are left out.");
  verb->add_flag("--print-pipeline", options->print_pipeline,
                 "Only prints the pipeline file of the scenario and its first policy.");
  verbs.push_back({verb, [options] { return run(*options); }});
}

void add_demo_command(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<RunOptions>();
  options->out = "out/demo";
  options->alone = true;
  CLI::App* verb = app.add_subcommand(
      "demo",
      "The scenario `demo`: batches of real images through a fleet of real processes, whose\n"
      "answers are delayed by published cloud latencies, under three policies.");
  add_options(*verb, *options);
  verbs.push_back({verb, [options] { return run(*options); }});
}

}  // namespace replay
