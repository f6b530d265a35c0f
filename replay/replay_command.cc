// A scenario, live and in virtual time, under each of its policies, and reports.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "imaging/decode.h"
#include "imaging/library.h"
#include "models/atomic_file.h"
#include "models/config.h"
#include "models/data/sources.h"
#include "models/evaluation/evaluate.h"
#include "models/network.h"
#include "replay/commands.h"
#include "replay/config.h"
#include "replay/live/experiment.h"
#include "replay/load/strikes.h"
#include "replay/progress.h"
#include "replay/report/collector.h"
#include "replay/report/events.h"
#include "replay/report/page.h"
#include "replay/report/summary.h"
#include "replay/samples_command.h"
#include "replay/sim/experiment.h"
#include "runtime/clock.h"
#include "runtime/config_error.h"
#include "runtime/variant.h"
#include "runtime/version.h"

namespace replay {
namespace {

using load::Scenario;

constexpr int kTimingRounds = 200;

// What one inference and one decode take here, one thread, batch 1.
struct Measured {
  double single_s = 0, collage_s = 0;
  wire::Duration decode{};
  double ratio() const { return collage_s / single_s; }
};

wire::Duration median_decode(const std::vector<Sample>& samples, const models::TileShape& tile) {
  std::vector<wire::Duration> times;
  for (std::size_t i = 0; i < static_cast<std::size_t>(kTimingRounds); ++i) {
    const wire::Payload& image = samples[i % samples.size()].image;
    const wire::Instant begun = runtime::now();
    if (!imaging::decode(image.bytes(), {tile.width, tile.height, tile.channels}, {})) {
      throw std::runtime_error("a test image does not decode");
    }
    times.push_back(runtime::now() - begun);
  }
  const auto middle = times.begin() + kTimingRounds / 2;
  std::ranges::nth_element(times, middle);
  return *middle;
}

Measured measure(const runtime::Pipeline& pipeline, const models::Dataset& data,
                 const std::vector<Sample>& samples) {
  const models::Network single(models::load_manifest(pipeline.models.single));
  const models::Network collage(models::load_manifest(pipeline.models.collage));
  const models::Runner runners[] = {{&single, &data}, {&collage, &data}};
  const std::vector<double> seconds = models::median_latencies(
      runners, kTimingRounds, [] { return wire::to_seconds(runtime::now().since_start); });
  return {seconds[0], seconds[1], median_decode(samples, data.shape)};
}

std::string machine() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string model = "unknown processor";
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    model = line.substr(line.find(':') + 2);
    break;
  }
  return fmt::format("{} cores of {}", sysconf(_SC_NPROCESSORS_ONLN), model);
}

// The scenario with what the command line says instead.
Scenario scenario_of(const ReplayOptions& options) {
  Scenario scenario = load_scenario(scenario_file(options.scenario));
  if (options.seed) scenario.seed = *options.seed;
  if (options.batches) scenario.live_batches = *options.batches;
  if (options.simulated_batches) scenario.simulated_batches = *options.simulated_batches;
  if (!options.policies.empty()) scenario.policies = options.policies;
  for (const std::string& policy : scenario.policies) {
    if (!broker::named_redundancy(policy)) {
      throw runtime::ConfigError("--policies: there is no policy " + policy);
    }
  }
  return scenario;
}

class Runner {
 public:
  Runner(const ReplayOptions& options, Scenario scenario)
      : options_(options), scenario_(std::move(scenario)) {}

  int run() {
    const models::Dataset data = images();
    const std::size_t count = std::max(scenario_.live_batches, std::size_t{12}) * scenario_.slots();
    samples_ = choose_samples(data, count, scenario_.seed);
    measured_ = measure(pipeline_of(scenario_.policies.front()), data, samples_);
    costs_.single = measured_.decode + wire::from_seconds(measured_.single_s);
    costs_.collage = wire::from_seconds(measured_.collage_s);
    costs_.paste = measured_.decode;
    report::Summary live = run_policies("live", scenario_.live_batches, &Runner::run_live);
    report::Summary simulated =
        run_policies("sim", scenario_.simulated_batches, &Runner::run_simulated);
    join(live, simulated);
    write(live);
    write(simulated);
    return interrupted_ || violations_ > 0 ? 1 : 0;
  }

 private:
  models::Dataset images() const {
    const char* folder = std::getenv("COLLAGE_DATA");
    return models::load_by_name(
        scenario_.dataset, models::Part::test,
        folder == nullptr ? std::nullopt : std::optional<std::filesystem::path>(folder));
  }

  using Run = report::PolicyRun (Runner::*)(const std::string& policy, report::EventFile& events);

  // Every policy in one mode; nothing if there is nothing to run.
  report::Summary run_policies(const std::string& mode, std::size_t batches, Run one) {
    report::Summary summary = this->summary(mode);
    if (batches == 0) return summary;
    report::EventFile events(folder(mode) / "events.csv.gz");
    for (const std::string& policy : scenario_.policies) {
      if (!interrupted_) summary.policies.push_back((this->*one)(policy, events));
    }
    events.finish();
    return summary;
  }

  runtime::Pipeline pipeline_of(const std::string& policy) const {
    return runtime::parse_pipeline(
        runtime::pipeline_variant(options_.pipeline, pipeline_keys(scenario_, policy)),
        options_.pipeline);
  }

  std::filesystem::path folder(const std::string& mode) const {
    if (options_.alone) return mode == "live" ? options_.out : options_.out / mode;
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
    for (const std::string& policy : scenario_.policies) {
      policies += (policies.empty() ? "" : ",") + policy;
    }
    return fmt::format("collage-replay run {} --seed {} --batches {} --simulated {} --policies {}",
                       options_.scenario, scenario_.seed, scenario_.live_batches,
                       scenario_.simulated_batches, policies);
  }

  load::Driver::Options driver_of(const std::string& policy, std::size_t batches) const {
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

  // What the driver tells goes to all three.
  struct Told {
    report::Collector& collector;
    report::EventFile& events;
    Progress& progress;
  };

  load::Driver::Listener listener_of(Told told, const load::Driver::Options& driver) const {
    load::Driver::Listener listener;
    const bool batches = !driver.arrivals.open_loop();
    listener.on_begin = [told](wire::Instant at) {
      told.collector.begin(at);
      told.events.begin(at);
    };
    listener.on_answer = [told, batches,
                          done = std::size_t{0}](const load::Answer& answer) mutable {
      told.collector.answered(answer);
      told.events.answer(answer);
      done += 1;
      if (!batches) told.progress.at(done);
    };
    listener.on_batch = [told](std::size_t batch, wire::Instant at, wire::Duration latency) {
      told.collector.batch(latency);
      told.events.batch(batch, at, latency);
      told.progress.at(batch + 1);
    };
    listener.on_health = [told](wire::Instant at, const load::Counters& broker) {
      if (const auto sample = told.collector.health(at, broker)) told.events.health(*sample);
    };
    listener.on_mark = [this, told, strikes = load::strikes_of(scenario_.faults)](
                           std::size_t mark, wire::Instant at) {
      const std::string what =
          load::told(scenario_.faults[strikes[mark].fault], strikes[mark].begins);
      told.collector.fault(at, what);
      told.events.fault(at, what);
    };
    return listener;
  }

  Progress progress_of(const std::string& what, const load::Driver::Options& driver) const {
    if (driver.arrivals.open_loop()) return Progress(what, "images", driver.images);
    return Progress(what, "batches", driver.images / driver.slots);
  }

  report::PolicyRun run_live(const std::string& policy, report::EventFile& events) {
    const Stages stages = stages_of(scenario_, policy);
    const live::ExperimentOptions options{
        .pipeline = options_.pipeline,
        .changes = pipeline_keys(scenario_, policy),
        .size = {.classifiers = static_cast<int>(stages.classifiers),
                 .collages = static_cast<int>(stages.collages)},
        .driver = driver_of(policy, scenario_.live_batches),
        .faults = scenario_.faults,
        .folder = folder("live") / policy};
    report::Collector collector(policy, [this](std::size_t image) -> const std::string& {
      return samples_[image % samples_.size()].label;
    });
    Progress progress = progress_of(policy + ", live", options.driver);
    events.policy(policy);
    load::Driver::Listener listener = listener_of({collector, events, progress}, options.driver);
    listener.image = [this](std::size_t image) { return samples_[image % samples_.size()].image; };
    const live::Experiment experiment = run_experiment(options, signals_, std::move(listener));
    interrupted_ = experiment.interrupted;
    if (costs_.link == wire::Duration{}) costs_.link = collector.link();
    report::PolicyRun run = collector.run(experiment.work, measured_.ratio(), scenario_.seed);
    run.seconds = experiment.seconds;
    note(run, experiment.violations);
    return run;
  }

  report::PolicyRun run_simulated(const std::string& policy, report::EventFile& events) {
    sim::ExperimentOptions options;
    options.fleet = simulated_fleet(scenario_, pipeline_of(policy));
    options.driver = driver_of(policy, scenario_.simulated_batches);
    options.faults = scenario_.faults;
    options.costs = costs_;
    options.seed = scenario_.seed;
    report::Collector collector(policy, nullptr);
    Progress progress = progress_of(policy + ", simulated", options.driver);
    events.policy(policy);
    const wire::Instant begun = runtime::now();
    const sim::Experiment experiment =
        run_experiment(options, listener_of({collector, events, progress}, options.driver));
    report::PolicyRun run = collector.run(experiment.work, measured_.ratio(), scenario_.seed);
    run.seconds = wire::to_seconds(runtime::now() - begun);
    note(run, experiment.violations);
    return run;
  }

  void note(report::PolicyRun& run, const std::vector<std::string>& violations) {
    run.violations = violations.size();
    violations_ += violations.size();
    for (const std::string& violation : violations) {
      std::fprintf(stderr, "%s: VIOLATION: %s\n", run.name.c_str(), violation.c_str());
    }
  }

  // The live report shows the simulated distribution beside each of its own.
  static void join(report::Summary& live, const report::Summary& simulated) {
    for (report::PolicyRun& run : live.policies) {
      for (const report::PolicyRun& other : simulated.policies) {
        if (other.name != run.name) continue;
        run.simulated = other.per_batch;
        run.sim_p99_s = other.per_batch.p99_s;
        run.simulated_batch_s = other.batch_s;
        run.violations += other.violations;
      }
    }
  }

  void write(const report::Summary& summary) const {
    if (summary.policies.empty()) return;
    const std::filesystem::path folder = this->folder(summary.mode);
    models::write_text(folder / "summary.json", report::to_json(summary));
    models::write_text(folder / "report.html", report::to_html(summary));
    std::printf("\n%s\n%s\n%s\n", report::to_table(summary).c_str(),
                (folder / "summary.json").c_str(), (folder / "report.html").c_str());
  }

  const ReplayOptions& options_;
  const Scenario scenario_;
  const imaging::Library library_;
  runtime::Signals signals_;
  std::vector<Sample> samples_;
  Measured measured_;
  sim::Costs costs_;
  bool interrupted_ = false;
  std::uint64_t violations_ = 0;
};

}  // namespace

int run_replay(const ReplayOptions& options) { return Runner(options, scenario_of(options)).run(); }

}  // namespace replay
