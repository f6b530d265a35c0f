// Short names for values that many tests write.
#pragma once

#include "wire/types.h"

constexpr wire::Instant at(wire::Duration since_start) { return {since_start}; }

// Two lives of one process.
inline constexpr wire::Epoch kEpoch{7}, kOtherEpoch{8};
constexpr wire::BatchId batch(std::uint64_t n, wire::Epoch epoch = kEpoch) { return {epoch, {n}}; }
