// Whether the times that pipeline.yaml grants are enough for a network.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "wire/types.h"

namespace stages {

// Those of pipeline.yaml.
struct GrantedTimes {
  wire::Duration task_age_max{}, deadline{}, wait_max{}, patience_max{};
};

// What to change in pipeline.yaml for a stage whose inference takes so long, a clause for each
// setting that is too short; empty if none is.  `capacity` is the number of tasks that it holds.
std::vector<std::string> too_short(const GrantedTimes& granted, wire::Duration inference,
                                   std::size_t capacity);

}  // namespace stages
