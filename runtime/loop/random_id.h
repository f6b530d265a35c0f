// Random ids from the operating system, for ids that must be unique across hosts and restarts.
#pragma once

#include <cstdint>

#include "wire/types.h"

namespace runtime {

// Returns 64 unpredictable bits.  Simulations use a machine::Rng instead.  May be called on any
// thread.
std::uint64_t random_bits();

// Returns an id of 64 bits, such as a broker's epoch: random_id<wire::Epoch>().
template <class Id>
Id random_id() {
  return Id{random_bits()};
}

// Returns an id of 128 bits, such as a producer's: random_long_id<wire::ProducerId>().
template <class LongId>
LongId random_long_id() {
  const std::uint64_t high = random_bits();
  return LongId{high, random_bits()};
}

}  // namespace runtime
