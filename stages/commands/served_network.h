// A model as a stage loads it: at its start and when pipeline.yaml names another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "models/serving/network.h"
#include "runtime/pipeline/pipeline.h"

namespace stages {

using SharedNetwork = std::shared_ptr<const models::Network>;

// Loads the network of a manifest and logs, as warnings, what a user should look at.  Throws as
// models::Network does.
SharedNetwork load_network(models::Manifest manifest, const models::ServingPolicy& policy);

// How many images a stage that serves the s-CNN holds at once.
std::uint32_t capacity_of(const runtime::Pipeline& pipeline, const models::Network& network);

// Logs, as warnings, which times of the pipeline are too short for a stage that serves the network
// and may be given `tasks` at once.
void warn_of_pace(const runtime::Pipeline& pipeline, const models::Network& network,
                  std::size_t tasks);

// Logs in which form a network is served and why in no other.  Not for --check, which is silent if
// all is well.
void say_form(const models::Network& network);

}  // namespace stages
