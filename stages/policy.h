// The settings of s-CNN and collage stages; the defaults stand here alone.
#pragma once

#include <cstdint>
#include <optional>

#include "imaging/format.h"
#include "stages/membership.h"

namespace stages {

struct Policy {
  std::optional<std::uint32_t> classifier_capacity;  // Tasks an s-CNN stage holds at once; nullopt:
                                                     // as many as suit its network (pace.h).
  std::uint32_t batches_max = 4;                     // Batches an assembler holds at once.
  std::uint32_t collage_capacity = 1;                // Collages a collage-CNN holds at once.
  std::int64_t pixels_max = 50'000'000;              // Pixels that an image's header may announce.
  int side_max = 20'000;  // Pixels of the longer side that an image's header may announce.
  imaging::FormatSet formats = imaging::kDefaultFormats;  // Those that are decoded.
  Membership::Policy membership;                          // Follows from broker.heartbeat.
};

}  // namespace stages
