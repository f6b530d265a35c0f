#include "replay/live/experiment.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>
#include <stdexcept>

#include "replay/live/fault_injector.h"
#include "replay/live/fleet.h"
#include "replay/live/start_watch.h"
#include "replay/live/violations.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/endpoint.h"
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

// Writes the pipeline file of the run, with free ports.
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

// Puts a relay before each stage with link faults; returns the pipeline files of those stages,
// which connect to the relays.
Fleet::PipelineFiles put_relays(const ExperimentOptions& options, const std::filesystem::path& file,
                                const runtime::Pipeline& pipeline, FaultInjector::Relays& relays) {
  Fleet::PipelineFiles files;
  for (const load::Fault& fault : options.faults) {
    if (!load::of_link(fault) || relays.contains(fault.node)) continue;
    const std::uint64_t seed = options.generator.seed + relays.size();
    const Relay& relay = relays.try_emplace(fault.node, pipeline, seed).first->second;
    files[fault.node] = options.folder / (fault.node + ".yaml");
    write_file(files[fault.node],
               runtime::pipeline_variant(file, {{"endpoints.workers", relay.workers()},
                                                {"endpoints.answers", relay.answers()}}));
  }
  return files;
}

// Shows whether the link faults touched any message: one that did not has tested nothing.
void print_relays(const FaultInjector::Relays& relays) {
  for (const auto& [name, relay] : relays) {
    const Forwarder::Counters counters = relay.counters();
    std::fprintf(stderr,
                 "relay before %s: %llu messages passed, %llu of them made invalid, %llu lost\n",
                 name.c_str(), static_cast<unsigned long long>(counters.passed),
                 static_cast<unsigned long long>(counters.garbled),
                 static_cast<unsigned long long>(counters.lost));
  }
}

[[noreturn]] void fail(const ExperimentOptions& options, Fleet& fleet, const std::string& what) {
  std::string message = what;
  std::set<std::string> printed;  // Processes often fail alike: each text is printed once.
  for (const auto& [name, code] : fleet.exited()) {
    const std::string last = log_tail(options.folder, name);
    if (!printed.insert(last).second) continue;
    message += "; " + name + " ended with " + std::to_string(code) + ": " + last;
  }
  throw std::runtime_error(message + " (logs are in " + options.folder.string() + ")");
}

Counts counts_of(const load::LoadGenerator& generator, std::size_t images) {
  Counts counts;
  for (std::size_t i = 0; i < generator.producers(); ++i) {
    counts.clients.push_back(generator.client(i).counters());
  }
  counts.unended = images - generator.answered();
  counts.settled_bad = generator.broker_rise("settled_bad");
  counts.settled_stale = generator.broker_rise("settled_stale");
  counts.results_undelivered = generator.broker_rise("results_undelivered");
  counts.bad_messages = generator.broker_rise("bad_messages");
  return counts;
}

producer::Policy client_policy(const runtime::Pipeline& pipeline) {
  producer::Policy client;
  client.producer = runtime::random_long_id<wire::ProducerId>();
  client.deadline = pipeline.broker.deadline;
  // The broker's credit is what bounds the open requests.
  client.open_max = std::max(client.open_max, pipeline.broker.producer_credit);
  return client;
}

// Sends load to the pipeline until the generator has finished.
void drive(load::LoadGenerator& generator, const runtime::Pipeline& pipeline,
           runtime::Signals& signals) {
  runtime::Context context;
  runtime::Loop::Options options;
  options.signals = &signals;
  const std::uint64_t frame_bytes_max = pipeline.broker.image_bytes_max;
  const auto keys = runtime::open_keys(pipeline.service, runtime::KeyOwner::producer);
  runtime::Link to_broker =
      runtime::connected_dealer(runtime::reached_from_here(pipeline.endpoints.producers),
                                frame_bytes_max, keys, runtime::LinkName::producers);
  to_broker.send_hwm = runtime::send_hwm_for(pipeline.broker.producer_credit);
  std::vector<runtime::Link> to_sinks;
  for (const std::string& answers : pipeline.endpoints.answers) {
    to_sinks.push_back(
        runtime::connected_dealer(answers, frame_bytes_max, keys, runtime::LinkName::answers));
  }
  // In the generator's order: the first sink stands before the other producers.
  std::vector<runtime::Link> links = {to_broker, to_sinks.front()};
  links.insert(links.end(), generator.producers() - 1, to_broker);
  links.insert(links.end(), to_sinks.begin() + 1, to_sinks.end());
  runtime::Loop loop(context, links, generator, {}, options);
  loop.run();
}

Experiment outcome(const load::LoadGenerator& generator, std::size_t images,
                   const std::vector<load::Fault>& faults, wire::Instant begun) {
  Disturbed disturbed = disturbed_by(faults);
  // Somebody else may restart the broker of a pipeline that is up already.
  disturbed.broker = disturbed.broker || generator.broker_restarted();
  return {.work = load::work_done(generator),
          .violations = generator.interrupted()
                            ? std::vector<std::string>{}
                            : violations(counts_of(generator, images), disturbed),
          .seconds = wire::to_seconds(runtime::now() - begun),
          .interrupted = generator.interrupted()};
}

// How large the fleet is, and how large it should be.
std::string found(const load::LoadGenerator& generator,
                  const load::LoadGenerator::Options& required) {
  const auto count = [&](const char* name) {
    return std::to_string(generator.broker().value(name));
  };
  return "s-CNN stages: " + count("classifiers") + " of " + std::to_string(required.classifiers) +
         ", collage stages: " + count("assemblers") + " of " + std::to_string(required.assemblers) +
         ", sinks: " + count("sinks") + " of " + std::to_string(required.sinks);
}

}  // namespace

Experiment run_experiment(const ExperimentOptions& options, runtime::Signals& signals,
                          load::LoadGenerator::Listener listener) {
  const wire::Instant begun = runtime::now();
  const std::filesystem::path file = write_pipeline(options);
  const runtime::Pipeline pipeline = runtime::load_pipeline(file);
  FaultInjector::Relays relays;
  Fleet fleet(file, options.size, options.folder, put_relays(options, file, pipeline, relays));
  FaultInjector injector(options.faults, fleet, relays, options.folder);
  load::LoadGenerator::Options own = options.generator;
  own.sinks = pipeline.endpoints.answers.size();
  for (const load::FaultEvent& event : injector.schedule()) own.marks.push_back(event.at);
  listener.on_mark = [&injector, next = std::move(listener.on_mark)](std::size_t mark,
                                                                     wire::Instant at) {
    injector.apply(mark);
    if (next) next(mark, at);
  };
  // Nothing has been injected yet: a process that exits while the fleet starts has failed.
  own.ready_max = kReadyMax;
  const StartWatch watch(begun, kReadyMax);
  listener.may_become_ready = [&] { return !watch.hopeless(fleet.exited(), runtime::now()); };
  load::LoadGenerator generator(std::move(own), client_policy(pipeline), std::move(listener));
  drive(generator, pipeline, signals);
  if (!generator.completed() && !generator.interrupted()) {
    fail(options, fleet, "the fleet was not ready in time, or stood still");
  }
  injector.resume_all();
  for (const auto& [name, code] : fleet.exited()) {
    if (!injector.removed(name)) fail(options, fleet, "a process of the fleet ended on its own");
  }
  print_relays(relays);
  if (!fleet.stop()) fail(options, fleet, "the fleet did not stop in time");
  return outcome(generator, options.generator.images, options.faults, begun);
}

Experiment run_deployed(const std::filesystem::path& pipeline_file,
                        load::LoadGenerator::Options options, runtime::Signals& signals,
                        load::LoadGenerator::Listener listener) {
  const wire::Instant begun = runtime::now();
  const runtime::Pipeline pipeline = runtime::load_pipeline(pipeline_file);
  options.sinks = pipeline.endpoints.answers.size();
  load::LoadGenerator generator(options, client_policy(pipeline), std::move(listener));
  drive(generator, pipeline, signals);
  if (!generator.completed() && !generator.interrupted()) {
    throw std::runtime_error("the pipeline at " + pipeline.endpoints.producers +
                             " was not ready in time, or stood still; " +
                             found(generator, options));
  }
  return outcome(generator, options.images, {}, begun);
}

}  // namespace replay::live
