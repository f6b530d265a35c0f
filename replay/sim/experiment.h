// A scenario in virtual time: the driver of replay/load and the machines that ship.
//
// A stage's latency is max(drawn from the source, its own compute).  Only inference is a token
// (token_runner.h), and messages are not encoded.
//
// Deterministic: the same options give the same result, to the bit (`hash`).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "replay/load/driver.h"
#include "replay/load/scenario.h"
#include "replay/load/work.h"
#include "replay/sim/fleet.h"
#include "wire/types.h"

namespace replay::sim {

// Measured in the live pipeline, or assumed.
struct Costs {
  wire::Duration single{};   // Decode and inference of an s-CNN stage.
  wire::Duration collage{};  // Inference of the collage-CNN.
  wire::Duration paste{};    // Decode of one tile by the assembler.
  wire::Duration link{};     // One message, one way.
};

struct ExperimentOptions {
  // Broker, sink, stages and their latencies; labels and links are the simulator's own.
  FleetPolicy fleet;
  load::Driver::Options driver;
  std::vector<load::Fault> faults;  // But for hogs, which are left out.
  Costs costs;
  std::uint64_t seed = 1;
};

struct Experiment {
  load::WorkDone work;
  std::vector<std::string> violations;  // The first ones.
  double seconds = 0;                   // Of virtual time, from the first image that counts.
  std::uint64_t events = 0;             // Of the simulation.
  std::uint64_t hash = 0;               // Of all latencies and sources.
};

// `listener.image` is not asked: images are tokens.
Experiment run_experiment(const ExperimentOptions& options, load::Driver::Listener listener);

}  // namespace replay::sim
