// The peers of tests of one part of the broker.
#pragma once

#include "machine/machine.h"

namespace broker {

inline constexpr wire::ProducerId kAnn{1, 1}, kBob{1, 2}, kEve{1, 3};

// A worker: its connection and its identity.
constexpr machine::Peer peer(std::uint64_t n) { return {1, n}; }
constexpr wire::WorkerId id(std::uint64_t n) { return {2, n}; }

}  // namespace broker
