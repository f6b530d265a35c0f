// What follows from how long an inference of a network takes: how many images its stage holds, and
// whether the times that pipeline.yaml grants are enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/types.h"

namespace stages {

// How many images an s-CNN stage holds at once.  If pipeline.yaml leaves it to the stage: 2 if an
// inference takes 10 ms at most, so that the next image is there when one is answered, else 1, and
// 1 if the stage emulates the latencies of another.  An image that waits in a stage is tied to it,
// while one that waits at the broker goes to whichever stage is free first; and beside a slow
// network a round trip to the broker is nothing.
std::uint32_t classifier_capacity(std::optional<std::uint32_t> given, bool emulates,
                                  wire::Duration inference);

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
