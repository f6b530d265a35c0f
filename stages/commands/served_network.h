// A model as a stage loads it: at its start and when pipeline.yaml names another.
#pragma once

#include <memory>

#include "models/serving/network.h"

namespace stages {

using SharedNetwork = std::shared_ptr<const models::Network>;

// Loads the network of a manifest.  Logs in which form it is served and, as warnings, what a user
// should look at.  Throws as models::Network does.
SharedNetwork load_network(models::Manifest manifest);

}  // namespace stages
