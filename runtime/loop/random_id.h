// Random bits for ids that must never meet, from the operating system.
#pragma once

#include <cstdint>

#include "wire/types.h"

namespace runtime {

// Unpredictable; not for simulations, which take a machine::Rng.  May be called on any thread.
std::uint64_t random_bits();

// 64 bits, such as a broker's epoch: random_id<wire::Epoch>().
template <class Id>
Id random_id() {
  return Id{random_bits()};
}

// 128 bits, such as a producer's name: random_long_id<wire::ProducerId>().
template <class LongId>
LongId random_long_id() {
  const std::uint64_t high = random_bits();
  return LongId{high, random_bits()};
}

}  // namespace runtime
