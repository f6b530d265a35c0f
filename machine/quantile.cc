#include "machine/quantile.h"

#include <cmath>

#include "wire/check.h"

namespace machine {

std::size_t quantile_index(std::size_t count, double p) {
  COLLAGE_CHECK(count > 0 && p >= 0 && p <= 1);
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(count)));
  return rank == 0 ? 0 : rank - 1;  // Rank 0 is p = 0, the smallest value.
}

}  // namespace machine
