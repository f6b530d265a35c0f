// The published experiment in virtual time: requests a second, and the time of each event against
// that of a bare event queue with as many.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>

#include "replay/sim/event_queue.h"
#include "replay/sim/experiment.h"
#include "runtime/pipeline/quantiles.h"
#include "tests/bench/benchmarks.h"

namespace bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::size_t kBatches = 400;
constexpr std::size_t kSlots = 9;

// As replay/scenarios/paper-figure-4.yaml.
replay::sim::ExperimentOptions options() {
  replay::sim::ExperimentOptions options;
  broker::Policy& broker = options.fleet.broker;
  broker.redundancy = broker::named_redundancy("collage-hedge").value();
  options.fleet.sink.joiner = {.open_batch_max = 4096, .orphan_max = 4096, .gate = 0, .classes = 1};
  options.fleet.sink.patience.worker_max = 64;
  options.fleet.classifiers = kSlots;
  options.fleet.assemblers = 1;
  options.fleet.assembler_capacity = 4;
  options.fleet.latency = stages::Independent(runtime::load_quantiles(
      fs::path(COLLAGE_SOURCE_DIR) / "replay/quantiles/cloud-latency-2019.csv"));
  options.generator.slots = kSlots;
  options.generator.images = kBatches * kSlots;
  options.generator.classifiers = options.fleet.classifiers;
  options.generator.assemblers = options.fleet.assemblers;
  options.generator.phase_max = 60s;
  options.generator.probe_every = 20ms;
  return options;
}

replay::sim::Experiment simulate() {
  replay::sim::Experiment ran = run_experiment(options(), {});
  if (!ran.violations.empty()) throw std::runtime_error(ran.violations.front());
  return ran;
}

void ours(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(simulate().hash);
}

// As many events as ours executes, of which as many wait as there are stages.
void reference(benchmark::State& state) {
  struct What {
    std::uint32_t node, index, life;
  };
  static const std::uint64_t events = simulate().events;
  for (auto _ : state) {
    replay::sim::EventQueue<What> queue;
    for (std::uint32_t node = 0; node < 2 * kSlots; ++node) queue.add({}, {node, 0, 0});
    for (std::uint64_t i = 0; i < events; ++i) {
      const auto event = queue.take();
      queue.add(event.at + std::chrono::nanoseconds((i * 7919) % 1'000'003), event.what);
    }
    benchmark::DoNotOptimize(queue.next().sequence);
  }
}

}  // namespace

void add_simulator() {
  benchmark::RegisterBenchmark("simulator/ours", ours);
  benchmark::RegisterBenchmark("simulator/reference", reference);
  benchmark::RegisterBenchmark("simulator-requests/ours", ours);
}

}  // namespace bench
