#include "replay/live/experiment.h"

#include <chrono>
#include <fstream>
#include <stdexcept>

#include "replay/live/fleet.h"
#include "runtime/clock.h"
#include "runtime/loop.h"
#include "runtime/random_id.h"
#include "runtime/service.h"
#include "runtime/variant.h"

namespace replay::live {
namespace {

std::string local(int port) { return "tcp://127.0.0.1:" + std::to_string(port); }

// The pipeline as run: another policy, ports of its own, emulated latencies.
std::filesystem::path write_pipeline(const ExperimentOptions& options) {
  const std::vector<int> ports = free_ports(3);
  const std::string text = runtime::pipeline_variant(
      options.pipeline, {{"policy", options.policy},
                         {"endpoints.producers", local(ports[0])},
                         {"endpoints.workers", local(ports[1])},
                         {"endpoints.answers", local(ports[2])},
                         {"endpoints.collage", "inproc://collage"},
                         {"emulation.latency", std::filesystem::absolute(options.latency).string()},
                         {"emulation.seed", std::to_string(options.seed)}});
  std::filesystem::create_directories(options.folder);
  const std::filesystem::path file = options.folder / "pipeline.yaml";
  std::ofstream(file) << text;
  return file;
}

[[noreturn]] void fail(const ExperimentOptions& options, Fleet& fleet, const std::string& what) {
  std::string message = what;
  for (const auto& [name, code] : fleet.fallen()) {
    message +=
        "; " + name + " ended with " + std::to_string(code) + ": " + log_tail(options.folder, name);
  }
  throw std::runtime_error(message + " (logs are in " + options.folder.string() + ")");
}

// Nothing but one lawful answer an image is allowed.
std::uint64_t violations(const BatchDriver& driver, std::size_t images) {
  const producer::Client::Counters& client = driver.client().counters();
  std::uint64_t count = client.duplicate_results + client.unknown_results;
  count += images - driver.records().size();
  for (const BatchDriver::Record& record : driver.records()) {
    count += record.result.status != wire::ResultStatus::answered;
  }
  for (const char* name : {"settled_bad", "settled_stale", "results_undelivered", "bad_messages"}) {
    count += driver.counted(driver.broker(), {}, name);
  }
  return count;
}

Experiment result_of(const ExperimentOptions& options, const BatchDriver& driver) {
  Experiment out;
  out.records = driver.records();
  for (const wire::Duration latency : driver.batch_latencies()) {
    out.batch_s.push_back(wire::to_seconds(latency));
  }
  out.hedges = driver.counted(driver.broker(), driver.broker_before(), "hedges");
  const std::uint64_t tasks =
      driver.counted(driver.broker(), driver.broker_before(), "tasks_dispatched");
  const std::uint64_t again =
      driver.counted(driver.broker(), driver.broker_before(), "tasks_redispatched");
  const std::uint64_t needed = out.records.size() + out.hedges + again;
  out.duplicates = tasks > needed ? tasks - needed : 0;
  out.collage_inferences =
      driver.counted(driver.sink(), driver.sink_before(), "collage_inferences");
  out.interrupted = driver.interrupted();
  out.violations = out.interrupted ? 0 : violations(driver, options.images.size());
  return out;
}

BatchDriver make_driver(const ExperimentOptions& options, const runtime::Pipeline& pipeline,
                        const std::function<void(std::size_t)>& on_batch) {
  BatchDriver::Options driver;
  driver.slots = static_cast<std::size_t>(pipeline.grid * pipeline.grid);
  driver.warm_up = options.warm_up;
  driver.classifiers = driver.slots;
  driver.phase_max = std::chrono::seconds(60);
  driver.probe_every = std::chrono::milliseconds(2);
  producer::Policy client;
  client.producer = runtime::random_long_id<wire::ProducerId>();
  client.deadline = pipeline.broker.deadline;
  return BatchDriver(driver, client, options.images, on_batch);
}

}  // namespace

Experiment run_experiment(const ExperimentOptions& options, runtime::Signals& signals,
                          const std::function<void(std::size_t done)>& on_batch) {
  const wire::Instant begun = runtime::now();
  const std::filesystem::path file = write_pipeline(options);
  const runtime::Pipeline pipeline = runtime::load_pipeline(file);
  Fleet fleet(file, {.classifiers = pipeline.grid * pipeline.grid, .collages = 1}, options.folder);
  BatchDriver driver = make_driver(options, pipeline, on_batch);
  runtime::Context context;
  runtime::Loop::Options loop_options;
  loop_options.signals = &signals;
  const std::uint64_t frame_bytes_max = pipeline.broker.image_bytes_max;
  runtime::Loop loop(context,
                     {runtime::connected_dealer(pipeline.endpoints.producers, frame_bytes_max),
                      runtime::connected_dealer(pipeline.endpoints.answers, frame_bytes_max)},
                     driver, {}, loop_options);
  loop.run();
  if (!driver.completed() && !driver.interrupted())
    fail(options, fleet, "the fleet was not ready in time, or stood still");
  if (!fleet.fallen().empty()) fail(options, fleet, "the fleet fell");
  if (!fleet.stop()) fail(options, fleet, "the fleet did not stop in time");
  Experiment out = result_of(options, driver);
  out.seconds = wire::to_seconds(runtime::now() - begun);
  return out;
}

}  // namespace replay::live
