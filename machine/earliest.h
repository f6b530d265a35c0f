// The earliest of several instants that may be absent: what a machine's next_timeout() answers.
#pragma once

#include <initializer_list>
#include <optional>

#include "wire/types.h"

namespace machine {

// Returns nullopt if every instant is absent.  An Instant converts to a present one, so a timer
// that always runs can be listed with timers that may not run.
constexpr std::optional<wire::Instant> earliest(
    std::initializer_list<std::optional<wire::Instant>> instants) {
  std::optional<wire::Instant> first;
  for (const auto& instant : instants) {
    if (instant && (!first || *instant < *first)) first = instant;
  }
  return first;
}

}  // namespace machine
