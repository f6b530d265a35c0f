// Reads scenarios from YAML and translates them into pipelines and simulated fleets.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "replay/load/scenario.h"
#include "replay/sim/fleet.h"
#include "runtime/pipeline/pipeline.h"

namespace replay {

// Reads a scenario; replay/scenarios/README.md lists the keys.  Relative paths in it start at its
// folder.  Throws ConfigError with one line FILE:LINE:COLUMN: key: what is wrong, what is allowed.
load::Scenario load_scenario(const std::filesystem::path& file);

// The file of a scenario by its name ("busy-fleet" in replay/scenarios) or its path.  Throws
// ConfigError with the names of the scenarios that ship if there is no such file.
std::filesystem::path scenario_file(const std::string& name);

// The keys of pipeline.yaml that a scenario and a policy change, with their values, for
// runtime::pipeline_variant().
std::vector<std::pair<std::string, std::string>> pipeline_keys(const load::Scenario& scenario,
                                                               const load::PolicyVariant& policy);

// The number of stages under a policy.  Classifiers: those of the scenario for each copy of an
// image that the policy starts at once, and the nodes of collage stages if they serve as
// classifiers. Collages: those of the scenario, or at least one for each collage that the policy
// makes of a batch.
struct Stages {
  std::size_t classifiers = 0;
  std::size_t collages = 0;
};
Stages stages_of(const load::Scenario& scenario, const load::PolicyVariant& policy);

// The fleet of a scenario in virtual time.  Its machines have the policies of `pipeline`, which
// follows from scenario and policy by pipeline_keys().
sim::FleetPolicy simulated_fleet(const load::Scenario& scenario, const load::PolicyVariant& policy,
                                 const runtime::Pipeline& pipeline);

}  // namespace replay
