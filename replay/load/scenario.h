// An experiment as data: the pipeline, its load, and the faults that are injected meanwhile.
//
// One scenario is run on real processes or in virtual time; replay/scenario_reader.h reads one from
// YAML.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replay/load/arrivals.h"
#include "replay/load/policy_variant.h"
#include "stages/emulation.h"
#include "wire/message.h"
#include "wire/types.h"

namespace replay::load {

struct Fault {
  enum class What : std::uint8_t {
    kill,     // The process is killed; if `length` is given, it is started again after it.
    stop,     // The process is stopped (SIGSTOP) for `length`.
    restart,  // The process is asked to end (SIGTERM) and started again.
    hog,      // Another program burns a core of its host for `length`; live only.
    link,     // Its messages are delayed by up to `delay` and lost with probability `loss`.
    garbage,  // A stage answers a class that no model has for `length`.
  };
  What what = What::kill;
  std::string node;         // Process name: "broker", "sink", "classifier-3", "collage-0".
  wire::Duration after{};   // Begin, counted from the first image that counts.
  wire::Duration length{};  // Zero: the fault never ends.
  wire::Duration delay{};   // Longest delay of one message on a bad link.
  double loss = 0;          // Share of messages that a bad link loses, 0 to 1.
};

// The service times that stages emulate: a stage holds each answer back until the drawn time is
// over.
struct Slowness {
  std::optional<stages::LatencySource> source;  // nullopt: each stage takes its own compute time.
  // The same as keys and values of `emulation` in pipeline.yaml.
  std::vector<std::pair<std::string, std::string>> keys;
  std::vector<std::string> slow;  // Stages that are slower than the others during `spell`.
  stages::Spell spell;            // When, and by which factor.
};

// Producers that send alike, each with a client and a credit of its own.
struct ProducerGroup {
  std::string name;
  std::size_t count = 1;
  // Mean rate of one producer in images a second; `share` of the scenario's arrivals instead, for
  // all producers of the group together, if that is above 0.
  double per_second = 0;
  double share = 0;  // 0 to 1.
  // Floods: the scenario is also run without the group, to compare the others with themselves.
  bool floods = false;
  wire::Priority priority = wire::Priority::normal;
};

// Models of a user's own, and pictures for them.
struct OwnModels {
  std::filesystem::path single;    // Manifest of the s-CNN.
  std::filesystem::path collage;   // Manifest of the collage-CNN.
  std::filesystem::path pictures;  // A folder or tar archive with a folder for each class.
};

struct Scenario {
  std::string name;
  std::string about;
  int grid = 3;
  std::string dataset = "fashion";
  std::optional<OwnModels> own;  // In place of those of `dataset`.
  std::size_t classifiers = 9;
  std::size_t collages = 0;  // Collage stages; 0: as many as the policy makes collages of a batch.
  std::vector<PolicyVariant> policies;
  Arrivals arrivals;
  // A sweep runs each policy at each of these rates of Poisson arrivals, in images a second.
  std::vector<double> loads;
  std::vector<std::size_t> collage_counts;  // And with each of these numbers of collage stages.
  std::vector<ProducerGroup> producers;     // Empty: one producer.
  Slowness latency;
  std::vector<Fault> faults;
  std::size_t live_batches = 0;       // For each policy; a batch has grid x grid images.
  std::size_t simulated_batches = 0;  // The same in virtual time.
  std::size_t warm_up = 12;           // Batches sent before these, which do not count.
  std::uint64_t seed = 1;
  // Keys and values that replace those of pipeline.yaml: {"broker.linger", "5ms"}.
  std::vector<std::pair<std::string, std::string>> settings;

  bool sweeps() const { return !loads.empty(); }
  std::size_t slots() const { return static_cast<std::size_t>(grid * grid); }
};

}  // namespace replay::load
