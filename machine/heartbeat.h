// How long a peer may be silent before it counts as gone.
#pragma once

#include "wire/types.h"

namespace machine {

// Returns 3.5 heartbeats: three missed ones, and half an interval of slack for the delay of the
// next.
constexpr wire::Duration silence_max(wire::Duration heartbeat) { return heartbeat * 7 / 2; }

}  // namespace machine
