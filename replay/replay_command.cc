// A scenario, live and in virtual time, under each of its policies, and reports.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "imaging/library.h"
#include "replay/commands.h"
#include "replay/config.h"
#include "replay/costs_command.h"
#include "replay/live/experiment.h"
#include "replay/progress.h"
#include "replay/report/events.h"
#include "replay/report/recorder.h"
#include "replay/report/run_file.h"
#include "replay/run_folder_command.h"
#include "replay/samples_command.h"
#include "replay/sim/experiment.h"
#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "runtime/pipeline/variant.h"
#include "runtime/service/version.h"

namespace replay {
namespace {

using load::Scenario;

// The scenario with what the command line says instead.
Scenario scenario_of(const ReplayOptions& options) {
  Scenario scenario = load_scenario(scenario_file(options.scenario));
  if (options.seed) scenario.seed = *options.seed;
  if (options.batches) scenario.live_batches = *options.batches;
  if (options.simulated_batches) scenario.simulated_batches = *options.simulated_batches;
  if (options.policies.empty()) return scenario;
  scenario.policies.clear();
  for (const std::string& name : options.policies) {
    const auto contestant = load::named_contestant(name);
    if (!contestant) {
      throw runtime::ConfigError("--policies: there is no policy " + name + ", expected some of " +
                                 load::contestant_names());
    }
    scenario.policies.push_back(*contestant);
  }
  return scenario;
}

// A pipeline that is up is asked as it is, so that it must be what the run is said to be of.
void expect_deployed(const ReplayOptions& options, const Scenario& scenario) {
  if (scenario.policies.size() != 1) {
    throw runtime::ConfigError(
        "--deployed: the pipeline has one policy, expected one of --policies");
  }
  const load::Contestant& policy = scenario.policies.front();
  const std::filesystem::path& file = options.pipeline;
  const auto keys = pipeline_keys(scenario, policy);
  if (runtime::pipeline_variant(file, keys) == runtime::pipeline_variant(file, {})) return;
  throw runtime::ConfigError(file.string() + ": is not what " + scenario.name + " wants under " +
                             policy.name + "; --print-pipeline shows that");
}

class Runner {
 public:
  Runner(const ReplayOptions& options, Scenario scenario)
      : options_(options), scenario_(std::move(scenario)) {}

  int run() {
    const models::Dataset data = test_images(scenario_.dataset);
    const std::size_t count = std::max(scenario_.live_batches, std::size_t{12}) * scenario_.slots();
    samples_ = choose_samples(data, count, scenario_.seed);
    measured_ = measure(pipeline_of(scenario_.policies.front()), data, samples_);
    costs_ = measured_.costs();
    report::Summary live = run_policies(live_mode(), scenario_.live_batches, &Runner::run_live);
    const report::Summary simulated =
        run_policies("sim", scenario_.simulated_batches, &Runner::run_simulated);
    if (!live.policies.empty() && !simulated.policies.empty()) {
      set_beside(live, simulated);
      write_report(folder(live.mode), live);
    }
    print(live);
    print(simulated);
    return interrupted_ || violations_ > 0 ? 1 : 0;
  }

 private:
  using Run = report::PolicyRun (Runner::*)(const load::Contestant& policy,
                                            report::EventFile& events);

  std::string live_mode() const { return options_.deployed ? "deployed" : "live"; }

  void print(const report::Summary& summary) const {
    if (!summary.policies.empty()) print_report(folder(summary.mode), summary);
  }

  // Those that this mode can run.
  std::vector<load::Contestant> contestants(const std::string& mode) const {
    std::vector<load::Contestant> some;
    for (const load::Contestant& one : scenario_.policies) {
      if (mode != "sim" && one.simulated_only) {
        std::fprintf(stderr, "%s is simulated only\n", one.name.c_str());
      } else {
        some.push_back(one);
      }
    }
    return some;
  }

  // Every policy in one mode, on disk when it returns; nothing if there is nothing to run.
  report::Summary run_policies(const std::string& mode, std::size_t batches, Run one) {
    report::Summary summary = this->summary(mode);
    if (batches == 0 || interrupted_) return summary;
    const std::vector<load::Contestant> some = contestants(mode);
    if (some.empty()) return summary;
    faults_ = faults(mode);
    report::EventFile events(folder(mode) / "events.csv.gz");
    for (const load::Contestant& policy : some) {
      if (!interrupted_) summary.policies.push_back((this->*one)(policy, events));
    }
    keep_pictures(summary);
    events.finish();
    write_run(folder(mode), summary);
    return summary;
  }

  // What can go wrong in this mode; what cannot is named.
  std::vector<load::Fault> faults(const std::string& name) const {
    const load::Mode mode = name == "live"       ? load::Mode::live
                            : name == "deployed" ? load::Mode::deployed
                                                 : load::Mode::simulated;
    std::vector<load::Fault> possible;
    for (const load::Fault& fault : scenario_.faults) {
      if (load::possible(fault, mode)) {
        possible.push_back(fault);
      } else {
        std::fprintf(stderr, "left out %s: %s\n",
                     mode == load::Mode::simulated ? "in virtual time" : name.c_str(),
                     load::told(fault, true).c_str());
      }
    }
    return possible;
  }

  // Of the images that the report shows.
  void keep_pictures(report::Summary& summary) const {
    for (const report::PolicyRun& run : summary.policies) {
      for (const report::Example& example : run.examples) {
        for (const report::ExampleSlot& slot : example.slots) {
          summary.pictures[slot.image] =
              report::picture_of(samples_[slot.image % samples_.size()].image);
        }
      }
    }
  }

  runtime::Pipeline pipeline_of(const load::Contestant& policy) const {
    return runtime::parse_pipeline(
        runtime::pipeline_variant(options_.pipeline, pipeline_keys(scenario_, policy)),
        options_.pipeline);
  }

  std::filesystem::path folder(const std::string& mode) const {
    if (options_.alone) return mode != "sim" ? options_.out : options_.out / mode;
    return options_.out / (scenario_.name + "-" + mode);
  }

  report::Summary summary(const std::string& mode) const {
    report::Summary summary;
    summary.scenario = scenario_.name;
    summary.about = scenario_.about;
    summary.mode = mode;
    summary.seed = scenario_.seed;
    summary.commit = runtime::commit();
    summary.machine = machine();
    summary.command = command();
    summary.slots = scenario_.slots();
    summary.single_inference_s = measured_.single_s;
    summary.collage_inference_s = measured_.collage_s;
    summary.collage_time_ratio = measured_.ratio();
    return summary;
  }

  std::string command() const {
    std::string policies;
    for (const load::Contestant& policy : scenario_.policies) {
      policies += (policies.empty() ? "" : ",") + policy.name;
    }
    return fmt::format(
        "collage-replay run {} --seed {} --batches {} --simulated {} --policies {}{}",
        options_.scenario, scenario_.seed, scenario_.live_batches, scenario_.simulated_batches,
        policies, options_.deployed ? " --deployed" : "");
  }

  load::Driver::Options driver_of(const load::Contestant& policy, std::size_t batches) const {
    const Stages stages = stages_of(scenario_, policy);
    load::Driver::Options driver;
    driver.arrivals = scenario_.arrivals;
    driver.seed = scenario_.seed;
    driver.slots = scenario_.slots();
    driver.images = batches * scenario_.slots();
    driver.warm_up = scenario_.warm_up;
    driver.classifiers = stages.classifiers;
    driver.assemblers = stages.collages;
    driver.phase_max = std::chrono::seconds(60);
    driver.probe_every = std::chrono::milliseconds(20);
    return driver;
  }

  static report::Recorder::Progress progress_of(const std::string& what,
                                                const load::Driver::Options& driver) {
    const bool images = driver.arrivals.open_loop();
    return [progress = Progress(what, images ? "images" : "batches",
                                images ? driver.images : driver.images / driver.slots)](
               std::size_t done) mutable { progress.at(done); };
  }

  report::PolicyRun run_live(const load::Contestant& policy, report::EventFile& events) {
    const Stages stages = stages_of(scenario_, policy);
    const live::ExperimentOptions options{
        .pipeline = options_.pipeline,
        .changes = pipeline_keys(scenario_, policy),
        .size = {.classifiers = static_cast<int>(stages.classifiers),
                 .collages = static_cast<int>(stages.collages)},
        .driver = driver_of(policy, scenario_.live_batches),
        .faults = faults_,
        .folder = folder(live_mode()) / policy.name};
    const auto sample = [this](std::size_t image) -> const Sample& {
      return samples_[image % samples_.size()];
    };
    report::Recorder recorder(
        policy.name, options.driver, options.faults,
        [sample](std::size_t image) -> const std::string& { return sample(image).label; }, events,
        progress_of(policy.name + ", " + live_mode(), options.driver));
    load::Driver::Listener listener = recorder.listener();
    listener.image = [sample](std::size_t image) { return sample(image).image; };
    const live::Experiment experiment =
        options_.deployed
            ? live::run_deployed(options_.pipeline, options.driver, signals_, std::move(listener))
            : live::run_experiment(options, signals_, std::move(listener));
    interrupted_ = experiment.interrupted;
    if (costs_.link == wire::Duration{}) costs_.link = recorder.collector().link();
    return finished(recorder, experiment.work, experiment.violations, experiment.seconds);
  }

  report::PolicyRun run_simulated(const load::Contestant& policy, report::EventFile& events) {
    sim::ExperimentOptions options;
    options.fleet = simulated_fleet(scenario_, policy, pipeline_of(policy));
    options.driver = driver_of(policy, scenario_.simulated_batches);
    options.faults = faults_;
    options.costs = costs_;
    options.seed = scenario_.seed;
    report::Recorder recorder(policy.name, options.driver, options.faults, nullptr, events,
                              progress_of(policy.name + ", simulated", options.driver));
    const wire::Instant begun = runtime::now();
    const sim::Experiment experiment = run_experiment(options, recorder.listener());
    return finished(recorder, experiment.work, experiment.violations,
                    wire::to_seconds(runtime::now() - begun));
  }

  report::PolicyRun finished(const report::Recorder& recorder, const load::WorkDone& work,
                             const std::vector<std::string>& violations, double seconds) {
    report::PolicyRun run = recorder.collector().run(work, measured_.ratio(), scenario_.seed);
    run.seconds = seconds;
    run.violations = violations.size();
    violations_ += violations.size();
    for (const std::string& violation : violations) {
      std::fprintf(stderr, "%s: VIOLATION: %s\n", run.name.c_str(), violation.c_str());
    }
    return run;
  }

  const ReplayOptions& options_;
  const Scenario scenario_;
  const imaging::Library library_;
  runtime::Signals signals_;
  std::vector<Sample> samples_;
  Measured measured_;
  sim::Costs costs_;
  std::vector<load::Fault> faults_;  // That the mode under way can do.
  bool interrupted_ = false;
  std::uint64_t violations_ = 0;
};

}  // namespace

int run_replay(const ReplayOptions& options) {
  Scenario scenario = scenario_of(options);
  if (options.print_pipeline) {
    const auto keys = pipeline_keys(scenario, scenario.policies.front());
    std::fputs(runtime::pipeline_variant(options.pipeline, keys).c_str(), stdout);
    return 0;
  }
  if (options.deployed) expect_deployed(options, scenario);
  return Runner(options, std::move(scenario)).run();
}

}  // namespace replay
