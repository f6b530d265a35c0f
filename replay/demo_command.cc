// The demo: the same images under each policy, live and simulated, and a report.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <thread>

#include "imaging/encode.h"
#include "imaging/library.h"
#include "models/atomic_file.h"
#include "models/config.h"
#include "models/data/dataset.h"
#include "models/evaluation/evaluate.h"
#include "models/network.h"
#include "replay/commands.h"
#include "replay/live/experiment.h"
#include "replay/report/page.h"
#include "replay/report/summary.h"
#include "replay/sim/batch_replay.h"
#include "runtime/clock.h"
#include "runtime/config_error.h"
#include "runtime/pipeline.h"
#include "runtime/quantiles.h"
#include "runtime/version.h"
#include "wire/random.h"

namespace replay {
namespace {

constexpr std::size_t kWarmUp = 12;  // Batches; enough for the sink to have learned.
constexpr int kTimingRounds = 200;

struct Sample {
  wire::Payload image;
  std::string label;
};

// Class names may hold what a path must not.
std::string folder_name(std::string label) {
  std::replace(label.begin(), label.end(), '/', '-');
  return label;
}

std::filesystem::path image_path(const std::filesystem::path& folder, const models::Dataset& data,
                                 std::size_t index) {
  const std::string& label = data.class_names[static_cast<std::size_t>(data.labels[index])];
  return folder / folder_name(label) / fmt::format("{:05}.png", index);
}

// Writes the test images as PNG files, a folder a class, unless they are there.
void write_images(const models::Dataset& data, const std::filesystem::path& folder) {
  if (std::filesystem::exists(image_path(folder, data, data.size() - 1))) return;
  std::fprintf(stderr, "writing %zu test images to %s\n", data.size(), folder.c_str());
  for (const std::string& label : data.class_names) {
    std::filesystem::create_directories(folder / folder_name(label));
  }
  const imaging::Library library;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto tile = data.tile(i);
    imaging::write_png(
        image_path(folder, data, i),
        {data.shape.width, data.shape.height, data.shape.channels, {tile.begin(), tile.end()}});
  }
}

wire::Payload read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw runtime::ConfigError(path.string() + ": cannot be read");
  return wire::Payload({std::istreambuf_iterator<char>(in), {}});
}

// The seed's choice among the test images, each at most once.
std::vector<Sample> choose_images(const models::Dataset& data, const DemoOptions& options,
                                  std::size_t count) {
  if (count > data.size()) {
    throw runtime::ConfigError(
        fmt::format("--batches: {} images, there are {}", count, data.size()));
  }
  std::vector<std::size_t> order(data.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  wire::Rng rng(options.seed);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(order[i], order[i + rng.below(order.size() - i)]);
    const auto label = static_cast<std::size_t>(data.labels[order[i]]);
    samples.push_back(
        {read_file(image_path(options.images, data, order[i])), data.class_names[label]});
  }
  return samples;
}

// One line that moves on a terminal, a line now and then in a file.
class Progress {
 public:
  Progress(std::string what, std::size_t total)
      : what_(std::move(what)), total_(total), begun_(runtime::now()), tty_(isatty(2) == 1) {}

  void at(std::size_t done) {
    const double elapsed = wire::to_seconds(runtime::now() - begun_);
    const double left =
        done == 0 ? 0 : elapsed / static_cast<double>(done) * static_cast<double>(total_ - done);
    const std::string line =
        fmt::format("{:<10} {:>4}/{} batches, {:>3.0f} s left", what_, done, total_, left);
    if (tty_) {
      std::fprintf(stderr, "\r%s%s", line.c_str(), done == total_ ? "\n" : "");
    } else if (done == total_ || done % std::max<std::size_t>(1, total_ / 4) == 0) {
      std::fprintf(stderr, "%s\n", line.c_str());
    }
  }

 private:
  const std::string what_;
  const std::size_t total_;
  const wire::Instant begun_;
  const bool tty_;
};

void measure_networks(const runtime::Pipeline& pipeline, const models::Dataset& images,
                      report::Summary& summary) {
  const models::Network single(models::load_manifest(pipeline.models.single));
  const models::Network collage(models::load_manifest(pipeline.models.collage));
  const models::Runner runners[] = {{&single, &images}, {&collage, &images}};
  const std::vector<double> seconds = models::median_latencies(
      runners, kTimingRounds, [] { return wire::to_seconds(runtime::now().since_start); });
  summary.single_inference_s = seconds[0];
  summary.collage_inference_s = seconds[1];
  summary.collage_time_ratio = seconds[1] / seconds[0];
}

void count_answers(const live::Experiment& experiment, const std::vector<Sample>& samples,
                   report::PolicyRun& run) {
  std::uint64_t right = 0, collage_right = 0;
  for (const live::BatchDriver::Record& record : experiment.records) {
    const wire::Result& result = record.result;
    const bool answered = result.status == wire::ResultStatus::answered;
    const bool correct = answered && result.predictions.front().name == samples[record.image].label;
    right += correct;
    run.request_s.push_back(wire::to_seconds(record.latency));
    if (!answered) {
      run.unanswered += 1;
    } else if (result.source == wire::Source::collage) {
      run.collage += 1;
      collage_right += correct;
    } else {
      (result.source == wire::Source::hedge ? run.hedge : run.single) += 1;
    }
  }
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  run.accuracy = share(right, experiment.records.size());
  run.collage_share = share(run.collage, experiment.records.size());
  run.collage_accuracy = share(collage_right, run.collage);
}

report::PolicyRun run_live(const DemoOptions& options, const std::string& policy,
                           const std::vector<Sample>& samples, double collage_time_ratio,
                           runtime::Signals& signals, bool& interrupted) {
  live::ExperimentOptions live;
  live.pipeline = options.pipeline;
  live.policy = policy;
  live.latency = options.latency;
  live.seed = options.seed;
  live.warm_up = kWarmUp;
  live.folder = options.out / policy;
  for (const Sample& sample : samples) live.images.push_back(sample.image);
  Progress progress(policy, options.batches);
  const live::Experiment experiment =
      run_experiment(live, signals, [&](std::size_t done) { progress.at(done); });
  interrupted = experiment.interrupted;

  report::PolicyRun run;
  run.name = policy;
  run.batch_s = experiment.batch_s;
  count_answers(experiment, samples, run);
  run.per_batch = report::distribution(run.batch_s, options.seed);
  run.per_request = report::distribution(run.request_s, options.seed);
  const double images = std::max<double>(1, static_cast<double>(experiment.records.size()));
  run.extra_work = (static_cast<double>(experiment.collage_inferences) * collage_time_ratio +
                    static_cast<double>(experiment.hedges + experiment.duplicates)) /
                   images;
  run.violations = experiment.violations;
  run.seconds = experiment.seconds;
  return run;
}

void simulate(const DemoOptions& options, const runtime::Pipeline& pipeline,
              const report::Summary& summary, report::PolicyRun& run) {
  sim::BatchOptions sim;
  sim.policy = run.name;
  sim.seed = options.seed;
  sim.grid = pipeline.grid;
  sim.batches = options.simulated_batches;
  sim.table = runtime::load_quantiles(options.latency);
  sim.single_compute = wire::from_seconds(summary.single_inference_s);
  sim.collage_compute = wire::from_seconds(summary.collage_inference_s);
  sim.collage_time_ratio = summary.collage_time_ratio;
  sim.patience.learned = pipeline.sink.learned;
  sim.patience.initial = pipeline.sink.patience_initial;
  sim.patience.min = pipeline.sink.patience_min;
  sim.patience.max = pipeline.sink.patience_max;
  sim.patience.window = pipeline.sink.window;
  sim.hedge_after = pipeline.broker.hedge_after;
  sim.hedge_rate_max = pipeline.broker.hedge_rate_max;
  sim.deadline = pipeline.broker.deadline;
  sim::BatchReplay replay = sim::replay_batches(sim);
  run.violations += replay.violations.size();
  run.simulated = report::distribution(replay.batch_s, options.seed, 0);
  run.sim_p99_s = run.simulated.p99_s;
  run.simulated_batch_s = std::move(replay.batch_s);
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

std::string command_of(const DemoOptions& options) {
  std::string policies;
  for (const std::string& policy : options.policies) {
    policies += (policies.empty() ? "" : ",") + policy;
  }
  return fmt::format("collage-replay demo --seed {} --batches {} --simulated {} --policies {}",
                     options.seed, options.batches, options.simulated_batches, policies);
}

}  // namespace

int run_demo(const DemoOptions& options) {
  const runtime::Pipeline pipeline = runtime::load_pipeline(options.pipeline);
  runtime::load_quantiles(options.latency);
  runtime::Signals signals;
  const models::Dataset data =
      models::load_fashion_mnist(models::fashion_mnist_folder(), models::Part::test);
  write_images(data, options.images);
  const auto slots = static_cast<std::size_t>(pipeline.grid * pipeline.grid);
  const std::vector<Sample> samples = choose_images(data, options, options.batches * slots);

  report::Summary summary;
  summary.scenario = "demo";
  summary.mode = "live";
  summary.seed = options.seed;
  summary.commit = runtime::commit();
  summary.machine = machine();
  summary.command = command_of(options);
  measure_networks(pipeline, data, summary);

  bool interrupted = false;
  for (const std::string& policy : options.policies) {
    summary.policies.push_back(
        run_live(options, policy, samples, summary.collage_time_ratio, signals, interrupted));
    if (interrupted) break;
  }
  summary.simulated_batches = interrupted ? 0 : options.simulated_batches;
  if (summary.simulated_batches > 0) {
    std::fprintf(stderr, "simulating %zu batches a policy\n", summary.simulated_batches);
    for (report::PolicyRun& run : summary.policies) simulate(options, pipeline, summary, run);
  }
  models::write_text(options.out / "summary.json", report::to_json(summary));
  models::write_text(options.out / "report.html", report::to_html(summary));
  std::printf("\n%s\n%s\n%s\n", report::to_table(summary).c_str(),
              (options.out / "summary.json").c_str(), (options.out / "report.html").c_str());
  std::uint64_t violations = 0;
  for (const report::PolicyRun& run : summary.policies) violations += run.violations;
  return interrupted || violations > 0 ? 1 : 0;
}

}  // namespace replay
