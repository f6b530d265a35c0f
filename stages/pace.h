// Whether the times that pipeline.yaml grants are enough for a network.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "wire/types.h"

namespace stages {

// Those of pipeline.yaml.
struct GrantedTimes {
  wire::Duration task_age_max{}, deadline{};
  // The longest patience and the name of its setting; nullopt for a stage whose answers nobody
  // waits for with patience: of a collage-CNN, or under a policy without collages.
  struct Patience {
    const char* setting = "";
    wire::Duration value{};
  };
  std::optional<Patience> patience;
};

// What to change in pipeline.yaml for a stage that needs the processor for so long for a task, a
// clause for each setting that is too short; empty if none is.  A stage's broker may give it
// `tasks` at once.  A task is taken to last twice as long, for other processes want the processor,
// too.
std::vector<std::string> too_short(const GrantedTimes& granted, wire::Duration inference,
                                   std::size_t tasks);

}  // namespace stages
