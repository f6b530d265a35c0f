// Runs a scenario in virtual time: the load generator of replay/load and the machines that ship.
//
// A stage's latency is the larger of a time drawn from the source and its own compute time.  Images
// are tokens (token_executor.h), and messages are not encoded.
//
// Deterministic: the same options give the same result, to the bit (`hash`).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "replay/load/load_generator.h"
#include "replay/load/scenario.h"
#include "replay/load/work.h"
#include "replay/sim/fleet.h"
#include "wire/types.h"

namespace replay::sim {

// Times of single steps, measured in the live pipeline or assumed.
struct Costs {
  wire::Duration single{};   // An s-CNN stage decodes and classifies one image.
  wire::Duration collage{};  // A collage-CNN classifies one collage.
  wire::Duration paste{};    // An assembler decodes and pastes one tile.
  wire::Duration link{};     // A message travels one way.
};

struct ExperimentOptions {
  // Broker, sink, stages and their latencies; the simulator replaces labels and links.
  FleetPolicy fleet;
  load::LoadGenerator::Options generator;
  std::vector<load::Fault> faults;  // Without hogs (load::possible()).
  Costs costs;
  std::uint64_t seed = 1;
};

struct Experiment {
  load::WorkDone work;
  std::vector<std::string> violations;  // The first broken invariants, a text each.
  double seconds = 0;                   // Virtual time since the first image that counts.
  std::uint64_t events = 0;             // Events that the simulator executed.
  std::uint64_t hash = 0;               // Hash of all latencies and sources.
};

// Does not call `listener.image`: the simulator makes its own images.
Experiment run_experiment(const ExperimentOptions& options, load::LoadGenerator::Listener listener);

}  // namespace replay::sim
