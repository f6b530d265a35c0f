// An experiment as data: which pipeline, what is asked of it, what goes wrong meanwhile.
//
// One scenario is run on real processes or in virtual time; replay/config.h reads one from YAML.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replay/load/arrivals.h"
#include "replay/load/contestant.h"
#include "stages/emulation.h"
#include "wire/types.h"

namespace replay::load {

struct Fault {
  enum class What : std::uint8_t {
    kill,     // The process is gone at once; after `length`, if that is given, it is back.
    stop,     // It stands still for `length`.
    restart,  // It is told to end, and started again.
    hog,      // A program burns a core beside it for `length`; live only.
    link,     // What goes to and from it is delayed by up to `delay`, and lost at `loss`.
    garbage,  // A stage answers nonsense for `length`.
  };
  What what = What::kill;
  std::string node;        // "broker", "sink", "classifier-3", "collage-0".
  wire::Duration after{};  // The first image that counts.
  wire::Duration length{};
  wire::Duration delay{};
  double loss = 0;
};

// What a stage takes beside its compute, drawn anew for each task.
struct Slowness {
  std::optional<stages::LatencySource> source;  // Empty: its own compute alone.
  // The keys and values of a pipeline's `emulation` that mean the same.
  std::vector<std::pair<std::string, std::string>> keys;
  std::vector<std::string> slow;  // Stages with a spell.
  stages::Spell spell;
};

struct Scenario {
  std::string name;
  std::string about;
  int grid = 3;
  std::string dataset = "fashion";
  std::size_t classifiers = 9;
  std::size_t collages = 0;  // 0: as many as the policy makes of each batch.
  std::vector<Contestant> policies;
  Arrivals arrivals;
  Slowness latency;
  std::vector<Fault> faults;
  std::size_t live_batches = 0;  // A policy; of grid x grid images.
  std::size_t simulated_batches = 0;
  std::size_t warm_up = 12;  // Batches before those.
  std::uint64_t seed = 1;
  // Keys of pipeline.yaml that are other than there: "broker.linger", "sink.gate".
  std::vector<std::pair<std::string, std::string>> settings;

  std::size_t slots() const { return static_cast<std::size_t>(grid * grid); }
};

}  // namespace replay::load
