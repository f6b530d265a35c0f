// The compute times of a run as a file, so that a simulation can be repeated exactly: measured
// again, they would differ by a little, and with them every simulated latency.
//
//     {"single_s": 0.0021, "collage_s": 0.0034, "decode_ns": 100000, "link_ns": 200000,
//      "models": ["single-5828b2b3", "collage-..."], "machine": "2 cores of ..."}
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "replay/commands/cost_model.h"

namespace replay {

struct StoredCosts {
  ModelCosts costs;
  // The time of one message between two processes; zero if no live run has measured it.
  wire::Duration link{};
  std::vector<std::string> models{};  // The versions of the s-CNN and of the collage-CNN.
  std::string machine{};              // Where the times were measured (machine_description).
};

// Throws runtime::ConfigError, which names the file and what is wrong with it.
StoredCosts read_costs(const std::filesystem::path& file);

// The costs of an earlier run, if they are of these models and this machine.  Throws as read_costs.
std::optional<StoredCosts> earlier_costs(const std::filesystem::path& file,
                                         const std::vector<std::string>& models,
                                         const std::string& machine);

// Replaces the file.  Throws std::runtime_error.
void write_costs(const std::filesystem::path& file, const StoredCosts& costs);

}  // namespace replay
