#include "replay/commands/scenario_runner.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "replay/commands/progress.h"
#include "replay/commands/run_folder.h"
#include "replay/live/experiment.h"
#include "replay/report/run_file.h"
#include "replay/scenario_reader.h"
#include "replay/sim/experiment.h"
#include "runtime/loop/clock.h"
#include "runtime/pipeline/variant.h"
#include "runtime/service/version.h"

namespace replay {
namespace {

using load::Mode;

// Far longer than the deadlines of the scenarios that ship: only a pipeline that stands still
// reaches it.
constexpr wire::Duration kPhaseMax = std::chrono::seconds(60);
// How soon a fleet that has become ready or idle is noticed.
constexpr wire::Duration kProbeEvery = std::chrono::milliseconds(20);

report::Recorder::Progress progress_of(const std::string& what,
                                       const load::LoadGenerator::Options& generator) {
  const bool images = generator.arrivals.open_loop();
  return [progress = Progress(what, images ? "images" : "batches",
                              images ? generator.images : generator.images / generator.slots)](
             std::size_t done) mutable { progress.at(done); };
}

}  // namespace

ScenarioRunner::ScenarioRunner(Options options, load::Scenario scenario, Inputs inputs)
    : options_(std::move(options)),
      scenario_(std::move(scenario)),
      inputs_(std::move(inputs)),
      costs_(inputs_.costs.simulated()) {}

int ScenarioRunner::run(runtime::Signals& signals) {
  signals_ = &signals;
  const Mode mode = live_mode();
  report::Summary live = run_policies(mode, scenario_.live_batches);
  const report::Summary simulated = run_policies(Mode::simulated, scenario_.simulated_batches);
  if (!live.policies.empty() && !simulated.policies.empty()) {
    attach_simulated(live, simulated);
    write_report(folder(mode), live);
  }
  print(live, mode);
  print(simulated, Mode::simulated);
  return interrupted_ || violations_ > 0 ? 1 : 0;
}

// --- what is run ---

Mode ScenarioRunner::live_mode() const { return options_.deployed ? Mode::deployed : Mode::live; }

std::filesystem::path ScenarioRunner::folder(Mode mode) const {
  const std::string name(to_string(mode));
  if (options_.alone) return mode == Mode::simulated ? options_.out / name : options_.out;
  return options_.out / (scenario_.name + "-" + name);
}

std::string ScenarioRunner::command() const {
  std::string policies;
  for (const load::PolicyVariant& policy : scenario_.policies) {
    policies += (policies.empty() ? "" : ",") + policy.name;
  }
  return fmt::format("collage-replay run {} --seed {} --batches {} --simulated {} --policies {}{}",
                     options_.scenario, scenario_.seed, scenario_.live_batches,
                     scenario_.simulated_batches, policies, options_.deployed ? " --deployed" : "");
}

// The policies that the mode can run; prints the others.
std::vector<load::PolicyVariant> ScenarioRunner::variants(Mode mode) const {
  std::vector<load::PolicyVariant> possible;
  for (const load::PolicyVariant& each : scenario_.policies) {
    if (mode != Mode::simulated && each.simulated_only) {
      std::fprintf(stderr, "%s is simulated only\n", each.name.c_str());
    } else {
      possible.push_back(each);
    }
  }
  return possible;
}

// The faults that the mode can apply; prints the others.
std::vector<load::Fault> ScenarioRunner::faults(Mode mode) const {
  const std::string where =
      mode == Mode::simulated ? "in virtual time" : std::string(to_string(mode));
  std::vector<load::Fault> possible;
  for (const load::Fault& fault : scenario_.faults) {
    if (load::possible(fault, mode)) {
      possible.push_back(fault);
    } else {
      std::fprintf(stderr, "left out %s: %s\n", where.c_str(), describe(fault, true).c_str());
    }
  }
  return possible;
}

runtime::Pipeline ScenarioRunner::pipeline_of(const load::PolicyVariant& policy) const {
  return runtime::parse_pipeline(
      runtime::pipeline_variant(options_.pipeline, pipeline_keys(scenario_, policy)),
      options_.pipeline);
}

load::LoadGenerator::Options ScenarioRunner::generator_options(const load::PolicyVariant& policy,
                                                               std::size_t batches) const {
  const Stages stages = stages_of(scenario_, policy);
  load::LoadGenerator::Options generator;
  generator.arrivals = scenario_.arrivals;
  generator.seed = scenario_.seed;
  generator.slots = scenario_.slots();
  generator.images = batches * scenario_.slots();
  generator.warm_up = scenario_.warm_up;
  generator.classifiers = stages.classifiers;
  generator.assemblers = stages.collages;
  generator.phase_max = kPhaseMax;
  generator.probe_every = kProbeEvery;
  return generator;
}

// --- one mode ---

report::Summary ScenarioRunner::empty_summary(Mode mode) const {
  report::Summary summary;
  summary.scenario = scenario_.name;
  summary.about = scenario_.about;
  summary.mode = to_string(mode);
  summary.seed = scenario_.seed;
  summary.commit = runtime::commit();
  summary.machine = inputs_.machine;
  summary.command = command();
  summary.slots = scenario_.slots();
  summary.single_inference_s = inputs_.costs.single_s;
  summary.collage_inference_s = inputs_.costs.collage_s;
  summary.collage_time_ratio = inputs_.costs.ratio();
  return summary;
}

// Runs every policy of one mode and writes the folder.  Returns a summary without policies, and
// writes nothing, if there is nothing to run.
report::Summary ScenarioRunner::run_policies(Mode mode, std::size_t batches) {
  report::Summary summary = empty_summary(mode);
  if (batches == 0 || interrupted_) return summary;
  const std::vector<load::PolicyVariant> policies = variants(mode);
  if (policies.empty()) return summary;
  faults_ = faults(mode);
  report::EventFile events(folder(mode) / "events.csv.gz");
  for (const load::PolicyVariant& policy : policies) {
    if (interrupted_) break;
    summary.policies.push_back(mode == Mode::simulated ? run_simulated(policy, events)
                                                       : run_live(policy, events));
  }
  keep_pictures(summary);
  events.finish();
  write_run(folder(mode), summary);
  return summary;
}

const Sample& ScenarioRunner::sample(std::size_t image) const {
  return inputs_.samples[image % inputs_.samples.size()];
}

report::PolicyRun ScenarioRunner::run_live(const load::PolicyVariant& policy,
                                           report::EventFile& events) {
  const Stages stages = stages_of(scenario_, policy);
  const live::ExperimentOptions options{
      .pipeline = options_.pipeline,
      .changes = pipeline_keys(scenario_, policy),
      .size = {.classifiers = static_cast<int>(stages.classifiers),
               .collages = static_cast<int>(stages.collages)},
      .generator = generator_options(policy, scenario_.live_batches),
      .faults = faults_,
      .folder = folder(live_mode()) / policy.name};
  report::Recorder recorder(
      policy.name, options.generator, options.faults,
      [this](std::size_t image) -> const std::string& { return sample(image).label; }, events,
      progress_of(policy.name + ", " + std::string(to_string(live_mode())), options.generator));
  load::LoadGenerator::Listener listener = recorder.listener();
  listener.image = [this](std::size_t image) { return sample(image).image; };
  const live::Experiment experiment =
      options_.deployed
          ? live::run_deployed(options_.pipeline, options.generator, *signals_, std::move(listener))
          : live::run_experiment(options, *signals_, std::move(listener));
  interrupted_ = experiment.interrupted;
  // One measurement for all simulated policies, so that they differ in nothing but the policy.
  if (costs_.link == wire::Duration{}) costs_.link = recorder.collector().link();
  return finished(recorder, experiment.work, experiment.violations, experiment.seconds);
}

report::PolicyRun ScenarioRunner::run_simulated(const load::PolicyVariant& policy,
                                                report::EventFile& events) {
  sim::ExperimentOptions options;
  options.fleet = simulated_fleet(scenario_, policy, pipeline_of(policy));
  options.generator = generator_options(policy, scenario_.simulated_batches);
  options.faults = faults_;
  options.costs = costs_;
  options.seed = scenario_.seed;
  report::Recorder recorder(policy.name, options.generator, options.faults, nullptr, events,
                            progress_of(policy.name + ", simulated", options.generator));
  const wire::Instant begun = runtime::now();
  const sim::Experiment experiment = run_experiment(options, recorder.listener());
  return finished(recorder, experiment.work, experiment.violations,
                  wire::to_seconds(runtime::now() - begun));
}

report::PolicyRun ScenarioRunner::finished(const report::Recorder& recorder,
                                           const load::WorkDone& work,
                                           const std::vector<std::string>& violations,
                                           double seconds) {
  report::PolicyRun run = recorder.collector().run(work, inputs_.costs.ratio(), scenario_.seed);
  run.seconds = seconds;
  run.violations = violations.size();
  violations_ += violations.size();
  for (const std::string& violation : violations) {
    std::fprintf(stderr, "%s: VIOLATION: %s\n", run.name.c_str(), violation.c_str());
  }
  return run;
}

// --- reports ---

// Keeps the images that the report shows as examples.
void ScenarioRunner::keep_pictures(report::Summary& summary) const {
  for (const report::PolicyRun& run : summary.policies) {
    for (const report::Example& example : run.examples) {
      for (const report::ExampleSlot& slot : example.slots) {
        summary.pictures[slot.image] = report::picture_of(sample(slot.image).image);
      }
    }
  }
}

void ScenarioRunner::print(const report::Summary& summary, Mode mode) const {
  if (!summary.policies.empty()) print_report(folder(mode), summary);
}

}  // namespace replay
