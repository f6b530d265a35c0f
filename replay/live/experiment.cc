#include "replay/live/experiment.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>
#include <stdexcept>

#include "replay/live/fleet.h"
#include "replay/live/saboteur.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/loop.h"
#include "runtime/loop/random_id.h"
#include "runtime/pipeline/variant.h"
#include "runtime/service/service.h"

namespace replay::live {
namespace {

std::string local(int port) { return "tcp://127.0.0.1:" + std::to_string(port); }

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  out.close();
  if (!out) throw std::runtime_error(file.string() + ": cannot be written");
}

// The pipeline as run, with ports of its own.
std::filesystem::path write_pipeline(const ExperimentOptions& options) {
  const std::vector<int> ports = free_ports(3);
  std::vector<std::pair<std::string, std::string>> keys = {
      {"endpoints.producers", local(ports[0])},
      {"endpoints.workers", local(ports[1])},
      {"endpoints.answers", local(ports[2])},
      {"endpoints.collage", "inproc://collage"},
      {"http.address", "none"},
      {"security.keys", ""}};  // Nobody else can reach it, and relays have no keys.
  keys.insert(keys.end(), options.changes.begin(), options.changes.end());
  const std::string text = runtime::pipeline_variant(options.pipeline, keys);
  std::filesystem::create_directories(options.folder);
  const std::filesystem::path file = options.folder / "pipeline.yaml";
  write_file(file, text);
  return file;
}

// A relay before each stage whose links go bad, and that stage's pipeline file.
Fleet::PipelineFiles put_relays(const ExperimentOptions& options, const std::filesystem::path& file,
                                const runtime::Pipeline& pipeline, Saboteur::Relays& relays) {
  Fleet::PipelineFiles files;
  for (const load::Fault& fault : options.faults) {
    if (!load::of_link(fault) || relays.contains(fault.node)) continue;
    const std::uint64_t seed = options.driver.seed + relays.size();
    const Relay& relay = relays.try_emplace(fault.node, pipeline, seed).first->second;
    files[fault.node] = options.folder / (fault.node + ".yaml");
    write_file(files[fault.node],
               runtime::pipeline_variant(file, {{"endpoints.workers", relay.workers()},
                                                {"endpoints.answers", relay.answers()}}));
  }
  return files;
}

// So that nobody takes a fault for done that touched no message.
void tell(const Saboteur::Relays& relays) {
  for (const auto& [name, relay] : relays) {
    const Forwarder::Counters counters = relay.counters();
    std::fprintf(stderr,
                 "relay before %s: %llu messages passed, %llu of them nonsense, %llu lost\n",
                 name.c_str(), static_cast<unsigned long long>(counters.passed),
                 static_cast<unsigned long long>(counters.garbled),
                 static_cast<unsigned long long>(counters.lost));
  }
}

[[noreturn]] void fail(const ExperimentOptions& options, Fleet& fleet, const std::string& what) {
  std::string message = what;
  std::set<std::string> told;  // What several say alike is told once.
  for (const auto& [name, code] : fleet.fallen()) {
    const std::string last = log_tail(options.folder, name);
    if (!told.insert(last).second) continue;
    message += "; " + name + " ended with " + std::to_string(code) + ": " + last;
  }
  throw std::runtime_error(message + " (logs are in " + options.folder.string() + ")");
}

// What no experiment may show, whatever its faults.
std::vector<std::string> violations(const load::Driver& driver, std::size_t images) {
  std::vector<std::string> found;
  const auto expect_none = [&](std::uint64_t count, const std::string& what) {
    if (count > 0) found.push_back(std::to_string(count) + " " + what);
  };
  const producer::Client::Counters& client = driver.client().counters();
  expect_none(client.duplicate_results, "results came twice");
  expect_none(client.unknown_results, "results nobody asked for");
  expect_none(images - driver.answered(), "images without an answer");
  for (const char* name : {"settled_bad", "settled_stale", "results_undelivered", "bad_messages"}) {
    expect_none(driver.broker_rise(name), name);
  }
  return found;
}

producer::Policy client_policy(const runtime::Pipeline& pipeline) {
  producer::Policy client;
  client.producer = runtime::random_long_id<wire::ProducerId>();
  client.deadline = pipeline.broker.deadline;
  return client;
}

// Asks the pipeline until the driver has finished.
void drive(load::Driver& driver, const runtime::Pipeline& pipeline, runtime::Signals& signals) {
  runtime::Context context;
  runtime::Loop::Options options;
  options.signals = &signals;
  const std::uint64_t frame_bytes_max = pipeline.broker.image_bytes_max;
  const auto keys = runtime::open_keys(pipeline.service, runtime::KeyOwner::producer);
  runtime::Loop loop(context,
                     {runtime::connected_dealer(pipeline.endpoints.producers, frame_bytes_max, keys,
                                                runtime::LinkName::producers),
                      runtime::connected_dealer(pipeline.endpoints.answers, frame_bytes_max, keys,
                                                runtime::LinkName::answers)},
                     driver, {}, options);
  loop.run();
}

Experiment outcome(const load::Driver& driver, std::size_t images, wire::Instant begun) {
  return {
      .work = load::work_done(driver),
      .violations = driver.interrupted() ? std::vector<std::string>{} : violations(driver, images),
      .seconds = wire::to_seconds(runtime::now() - begun),
      .interrupted = driver.interrupted()};
}

// What there is of a fleet beside what was wanted.
std::string found(const load::Driver& driver, const load::Driver::Options& wanted) {
  const auto count = [&](const char* name) {
    const auto counter = driver.broker().find(name);
    return std::to_string(counter == driver.broker().end() ? 0 : counter->second);
  };
  return "s-CNN stages: " + count("classifiers") + " of " + std::to_string(wanted.classifiers) +
         ", collage stages: " + count("assemblers") + " of " + std::to_string(wanted.assemblers) +
         ", sinks: " + count("sinks") + " of 1";
}

}  // namespace

Experiment run_experiment(const ExperimentOptions& options, runtime::Signals& signals,
                          load::Driver::Listener listener) {
  const wire::Instant begun = runtime::now();
  const std::filesystem::path file = write_pipeline(options);
  const runtime::Pipeline pipeline = runtime::load_pipeline(file);
  Saboteur::Relays relays;
  Fleet fleet(file, options.size, options.folder, put_relays(options, file, pipeline, relays));
  Saboteur saboteur(options.faults, fleet, relays, options.folder);
  load::Driver::Options own = options.driver;
  for (const load::Strike& strike : saboteur.strikes()) own.marks.push_back(strike.at);
  listener.on_mark = [&saboteur, told = std::move(listener.on_mark)](std::size_t mark,
                                                                     wire::Instant at) {
    saboteur.strike(mark);
    if (told) told(mark, at);
  };
  load::Driver driver(std::move(own), client_policy(pipeline), std::move(listener));
  drive(driver, pipeline, signals);
  if (!driver.completed() && !driver.interrupted())
    fail(options, fleet, "the fleet was not ready in time, or stood still");
  saboteur.relent();
  for (const auto& [name, code] : fleet.fallen()) {
    if (!saboteur.wants_gone(name)) fail(options, fleet, "the fleet fell");
  }
  tell(relays);
  if (!fleet.stop()) fail(options, fleet, "the fleet did not stop in time");
  return outcome(driver, options.driver.images, begun);
}

Experiment run_deployed(const std::filesystem::path& pipeline_file,
                        const load::Driver::Options& options, runtime::Signals& signals,
                        load::Driver::Listener listener) {
  const wire::Instant begun = runtime::now();
  const runtime::Pipeline pipeline = runtime::load_pipeline(pipeline_file);
  load::Driver driver(options, client_policy(pipeline), std::move(listener));
  drive(driver, pipeline, signals);
  if (!driver.completed() && !driver.interrupted()) {
    throw std::runtime_error("the pipeline at " + pipeline.endpoints.producers +
                             " was not ready in time, or stood still; " + found(driver, options));
  }
  return outcome(driver, options.images, begun);
}

}  // namespace replay::live
