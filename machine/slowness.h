// What counts as slow among workers that do the same work.
//
// A time is slow if it is more than twice the usual time, and the usual time is the median of the
// workers' own medians.  A worker counts once however many tasks it has done, so a quick
// worker with many tasks does not make the others look slow, and a bad one does not hide itself.
// The broker judges service times so (probation), and the sink the ages of answers (patience).
#pragma once

#include <optional>
#include <vector>

#include "machine/quantile.h"
#include "wire/types.h"

namespace machine {

// The times of one kind of worker differ by tens of percent while all is well; a factor of two
// is out of reach of that noise.
inline constexpr int kSlowFactor = 2;

// Returns the median of the workers' medians, the lower of the middle two; nullopt without any.
inline std::optional<wire::Duration> usual_service(std::vector<wire::Duration> medians) {
  if (medians.empty()) return std::nullopt;
  return quantile_of_unsorted(medians, 0.5);
}

constexpr bool is_slow(wire::Duration service, wire::Duration usual) {
  return service > kSlowFactor * usual;
}

}  // namespace machine
