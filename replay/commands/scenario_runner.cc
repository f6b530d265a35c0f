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
#include "runtime/loop/date.h"
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
      costs_(inputs_.costs.costs.simulated()) {
  costs_.link = inputs_.costs.link;
}

int ScenarioRunner::run(runtime::Signals& signals) {
  signals_ = &signals;
  const Mode mode = live_mode();
  report::Summary live = run_policies(mode, scenario_.live_batches);
  report::Summary simulated = run_policies(Mode::simulated, scenario_.simulated_batches);
  if (has_results(live) && has_results(simulated)) link_reports(live, simulated);
  print(live, mode);
  print(simulated, Mode::simulated);
  return interrupted_ || violations_ > 0 ? 1 : 0;
}

// --- what is run ---

Mode ScenarioRunner::live_mode() const { return options_.deployed ? Mode::deployed : Mode::live; }

std::filesystem::path ScenarioRunner::folder(const Options& options, const std::string& scenario,
                                             Mode mode) {
  const std::string name(to_string(mode));
  if (options.alone) return mode == Mode::simulated ? options.out / name : options.out;
  return options.out / (scenario + "-" + name);
}

std::filesystem::path ScenarioRunner::folder(Mode mode) const {
  return folder(options_, scenario_.name, mode);
}

std::string ScenarioRunner::command() const {
  std::string policies;
  for (const load::PolicyVariant& policy : scenario_.policies) {
    policies += (policies.empty() ? "" : ",") + policy.name;
  }
  const std::string own =
      !options_.own_models
          ? std::string()
          : fmt::format(" --single {} --collage {} --pictures {}", scenario_.own->single.string(),
                        scenario_.own->collage.string(), scenario_.own->pictures.string());
  const std::string costs =
      options_.costs.empty() ? std::string() : " --costs " + options_.costs.string();
  return fmt::format(
      "collage-replay run {} --seed {} --batches {} --simulated {} --policies {}{}{}{}",
      options_.scenario, scenario_.seed, scenario_.live_batches, scenario_.simulated_batches,
      policies, own, costs, options_.deployed ? " --deployed" : "");
}

// The runs whose policies the mode can run; prints the other policies.
std::vector<load::Point> ScenarioRunner::points(Mode mode) const {
  load::Scenario possible = scenario_;
  possible.policies.clear();
  for (const load::PolicyVariant& each : scenario_.policies) {
    if (mode != Mode::simulated && each.simulated_only) {
      std::fprintf(stderr, "%s is simulated only\n", each.name.c_str());
    } else {
      possible.policies.push_back(each);
    }
  }
  return points_of(possible);
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

runtime::Pipeline ScenarioRunner::pipeline_of(const load::Point& point) const {
  return runtime::parse_pipeline(
      runtime::pipeline_variant(options_.pipeline, pipeline_keys(point.scenario, point.policy)),
      options_.pipeline);
}

load::LoadGenerator::Options ScenarioRunner::generator_options(const load::Point& point,
                                                               Mode mode) const {
  const Stages stages = stages_of(point.scenario, point.policy);
  const std::size_t batches =
      mode == Mode::simulated ? scenario_.simulated_batches : scenario_.live_batches;
  load::LoadGenerator::Options generator;
  set_load(generator, point.scenario, scenario_.sweeps());
  generator.seed = scenario_.seed;
  generator.slots = scenario_.slots();
  generator.images = images_of(point, scenario_, batches);
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
  summary.version = runtime::version();
  summary.host = inputs_.host;
  summary.date = runtime::utc_date();
  summary.machine = inputs_.machine;
  summary.command = command();
  summary.slots = scenario_.slots();
  summary.single_inference_s = inputs_.costs.costs.single_s;
  summary.collage_inference_s = inputs_.costs.costs.collage_s;
  summary.collage_time_ratio = inputs_.costs.costs.ratio();
  return summary;
}

// Runs every point of one mode and writes the folder.  Returns a summary without figures, and
// writes nothing, if there is nothing to run.
report::Summary ScenarioRunner::run_policies(Mode mode, std::size_t batches) {
  report::Summary summary = empty_summary(mode);
  if (batches == 0 || interrupted_) return summary;
  const std::vector<load::Point> all = points(mode);
  if (all.empty()) return summary;
  faults_ = faults(mode);
  report::EventFile events(folder(mode) / "events.csv.gz");
  for (const load::Point& point : all) {
    if (interrupted_) break;
    if (scenario_.sweeps() || point.alone) {
      run_load(point, mode, summary);
    } else {
      run_policy(point, mode, events, summary);
    }
  }
  keep_pictures(summary);
  events.finish();
  write_run(folder(mode), summary);
  StoredCosts used = inputs_.costs;
  used.link = costs_.link;
  write_costs(folder(mode) / kCostsFile, used);
  return summary;
}

const Sample& ScenarioRunner::sample(std::size_t image) const {
  return inputs_.samples[image % inputs_.samples.size()];
}

// The true classes of live images; a simulation has none.
std::function<const std::string&(std::size_t)> ScenarioRunner::truth(Mode mode) const {
  if (mode == Mode::simulated) return nullptr;
  return [this](std::size_t image) -> const std::string& { return sample(image).label; };
}

// Runs a point of a scenario that does not sweep and adds its figures to the summary.
void ScenarioRunner::run_policy(const load::Point& point, Mode mode, report::EventFile& events,
                                report::Summary& summary) {
  const load::LoadGenerator::Options generator = generator_options(point, mode);
  const std::string what =
      point.name + ", " + (mode == Mode::simulated ? "simulated" : std::string(to_string(mode)));
  report::Recorder recorder(point.name, generator, faults_, truth(mode), events,
                            progress_of(what, generator));
  report::LoadRecorder load(point, stages_of(point.scenario, point.policy).collages, truth(mode));
  load::LoadGenerator::Listener listener = recorder.listener();
  listener.on_begin = [&load, next = std::move(listener.on_begin)](wire::Instant at) {
    load.begin(at);
    next(at);
  };
  listener.on_answer = [&load, next = std::move(listener.on_answer)](const load::Answer& answer) {
    load.answered(answer);
    next(answer);
  };
  const Ran ran = run_point(point, mode, std::move(listener));
  // One measurement for all simulated policies, so that they differ in nothing but the policy.
  if (mode != Mode::simulated && costs_.link == wire::Duration{}) {
    costs_.link = recorder.collector().link();
  }
  report::PolicyRun run =
      recorder.collector().run(ran.work, inputs_.costs.costs.ratio(), scenario_.seed);
  run.seconds = ran.seconds;
  run.violations = ran.violations.size();
  summary.policies.push_back(std::move(run));
  const auto append = [](auto& all, auto some) { all.insert(all.end(), some.begin(), some.end()); };
  append(summary.seconds, load.seconds());
  append(summary.producers, load.producers());
  append(summary.groups, load.groups());
}

// Runs a point of a sweep, or producers alone, and adds the figures to the summary; prints one
// line.
void ScenarioRunner::run_load(const load::Point& point, Mode mode, report::Summary& summary) {
  const std::size_t collages = stages_of(point.scenario, point.policy).collages;
  report::LoadRecorder load(point, collages, truth(mode));
  load::LoadGenerator::Listener listener;
  listener.on_begin = [&load](wire::Instant at) { load.begin(at); };
  listener.on_answer = [&load](const load::Answer& answer) { load.answered(answer); };
  const Ran ran = run_point(point, mode, std::move(listener));
  report::LoadPoint figures =
      load.figures(ran.work, {inputs_.single_accuracy, inputs_.collage_accuracy});
  figures.violations = ran.violations.size();
  std::fprintf(stderr,
               "%s, collage stages: %zu, %.0f/s: %.1f %% answered, p99 %.0f ms, took %.1f s\n",
               point.name.c_str(), collages, figures.per_second, 100 * figures.answered,
               1000 * figures.p99_s, ran.seconds);
  if (scenario_.sweeps()) summary.load.push_back(std::move(figures));
  const auto append = [](auto& all, auto some) { all.insert(all.end(), some.begin(), some.end()); };
  append(summary.producers, load.producers());
  append(summary.groups, load.groups());
}

ScenarioRunner::Ran ScenarioRunner::run_point(const load::Point& point, Mode mode,
                                              load::LoadGenerator::Listener listener) {
  Ran ran = mode == Mode::simulated ? run_simulated(point, std::move(listener))
                                    : run_live(point, std::move(listener));
  print_violations(point.name, ran.violations);
  return ran;
}

ScenarioRunner::Ran ScenarioRunner::run_live(const load::Point& point,
                                             load::LoadGenerator::Listener listener) {
  const Stages stages = stages_of(point.scenario, point.policy);
  const live::ExperimentOptions options{
      .pipeline = options_.pipeline,
      .changes = pipeline_keys(point.scenario, point.policy),
      .size = {.classifiers = static_cast<int>(stages.classifiers),
               .collages = static_cast<int>(stages.collages)},
      .generator = generator_options(point, live_mode()),
      .faults = faults_,
      .folder = folder(live_mode()) / point.name};
  listener.image = [this](std::size_t image) { return sample(image).image; };
  const live::Experiment experiment =
      options_.deployed
          ? live::run_deployed(options_.pipeline, options.generator, *signals_, std::move(listener))
          : live::run_experiment(options, *signals_, std::move(listener));
  interrupted_ = experiment.interrupted;
  return {experiment.work, experiment.violations, experiment.seconds};
}

ScenarioRunner::Ran ScenarioRunner::run_simulated(const load::Point& point,
                                                  load::LoadGenerator::Listener listener) {
  sim::ExperimentOptions options;
  options.fleet = simulated_fleet(point.scenario, point.policy, pipeline_of(point));
  options.generator = generator_options(point, Mode::simulated);
  options.faults = faults_;
  options.costs = costs_;
  options.seed = scenario_.seed;
  const wire::Instant begun = runtime::now();
  const sim::Experiment experiment = run_experiment(options, std::move(listener));
  return {experiment.work, experiment.violations, wire::to_seconds(runtime::now() - begun)};
}

void ScenarioRunner::print_violations(const std::string& name,
                                      const std::vector<std::string>& violations) {
  violations_ += violations.size();
  for (const std::string& violation : violations) {
    std::fprintf(stderr, "%s: VIOLATION: %s\n", name.c_str(), violation.c_str());
  }
}

// --- reports ---

// Keeps the images that the report shows as examples, and their collages.
void ScenarioRunner::keep_pictures(report::Summary& summary) const {
  for (report::PolicyRun& run : summary.policies) {
    for (report::Example& example : run.examples) {
      std::vector<wire::Payload> images;
      for (const report::ExampleSlot& slot : example.slots) {
        images.push_back(sample(slot.image).image);
        summary.pictures[slot.image] = report::picture_of(
            inputs_.thumbnail ? inputs_.thumbnail(images.back()) : images.back());
      }
      if (inputs_.draw_collage) {
        example.collage = report::picture_of(inputs_.draw_collage(images));
      }
    }
  }
}

// Writes both reports again: the live one with the simulated figures, each with a link to the
// other.
void ScenarioRunner::link_reports(report::Summary& live, report::Summary& simulated) {
  attach_simulated(live, simulated);
  const std::filesystem::path of_live = folder(live_mode()), of_sim = folder(Mode::simulated);
  live.see_also = {see_also(of_live, of_sim, simulated)};
  simulated.see_also = {see_also(of_sim, of_live, live)};
  write_report(of_live, live);
  write_report(of_sim, simulated);
}

void ScenarioRunner::print(const report::Summary& summary, Mode mode) const {
  if (has_results(summary)) print_report(folder(mode), summary);
}

}  // namespace replay
