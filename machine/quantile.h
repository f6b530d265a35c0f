// Nearest-rank quantiles: the smallest value that at least a fraction p of the values do not
// exceed.  A quantile is therefore always a value that occurred; nothing is interpolated.
//
// Pure.  The three functions differ only in what they ask of the order of the values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <ranges>

namespace machine {

// The position of the p-quantile among `count` values in ascending order, counted from 0.
// Requires count > 0 and 0 <= p <= 1.
std::size_t quantile_index(std::size_t count, double p);

// The p-quantile of values in ascending order.  Requires at least one value and 0 <= p <= 1.
template <std::ranges::random_access_range Values>
std::ranges::range_value_t<Values> quantile(const Values& sorted, double p) {
  const std::size_t index = quantile_index(std::ranges::size(sorted), p);
  return std::ranges::begin(sorted)[static_cast<std::ptrdiff_t>(index)];
}

// The p-quantile of values in any order, which the call reorders; O(n).  Requires the same.
template <std::ranges::random_access_range Values>
std::ranges::range_value_t<Values> quantile_of_unsorted(Values& values, double p) {
  const std::size_t index = quantile_index(std::ranges::size(values), p);
  const auto at = std::ranges::begin(values) + static_cast<std::ptrdiff_t>(index);
  std::ranges::nth_element(values, at);
  return *at;
}

}  // namespace machine
