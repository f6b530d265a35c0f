// Scenarios from YAML, and the pipelines they mean.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "replay/load/scenario.h"
#include "replay/sim/fleet.h"
#include "runtime/pipeline/pipeline.h"

namespace replay {

// Reads a scenario; replay/scenarios/README.md has the keys.  Files it names are looked for beside
// it.  Throws ConfigError with one line FILE:LINE:COLUMN: key: what is wrong, what is allowed.
load::Scenario load_scenario(const std::filesystem::path& file);

// The file of a scenario by its name ("busy-fleet" in replay/scenarios) or its path.  Throws
// ConfigError naming those that ship if there is none.
std::filesystem::path scenario_file(const std::string& name);

// The keys of pipeline.yaml that a scenario and a policy change, for runtime::pipeline_variant().
std::vector<std::pair<std::string, std::string>> pipeline_keys(const load::Scenario& scenario,
                                                               const load::Contestant& policy);

// How many stages a policy is given: the s-CNNs of the scenario for each copy of an image that it
// starts at once and those of its own, and the collage stages of the scenario or one for each
// collage that it makes of a batch.
struct Stages {
  std::size_t classifiers = 0;
  std::size_t collages = 0;
};
Stages stages_of(const load::Scenario& scenario, const load::Contestant& policy);

// The fleet of a scenario in virtual time, its machines with the policies of `pipeline`, which is
// that of the contestant.
sim::FleetPolicy simulated_fleet(const load::Scenario& scenario, const load::Contestant& policy,
                                 const runtime::Pipeline& pipeline);

}  // namespace replay
