// Whether scores can be trusted at all.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace models {

inline bool all_finite(std::span<const float> row) {
  return std::ranges::all_of(row, [](float z) { return std::isfinite(z); });
}

}  // namespace models
