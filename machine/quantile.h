// Quantiles by nearest rank: always one of the values themselves, never one between two of them.
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

namespace machine {

// Returns the smallest value that at least a fraction q of all values do not exceed; nullopt if
// there are no values.  Requires that `sorted` rises and 0 <= q <= 1; q = 0 gives the smallest.
template <class T>
std::optional<T> nearest_rank(std::span<const T> sorted, double q) {
  if (sorted.empty()) return std::nullopt;
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[rank == 0 ? 0 : rank - 1];
}

}  // namespace machine
