// Reads JSON that a stranger sent: bounded in depth and in the number of its values.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

#include "gateway/problem.h"

namespace gateway {

// Deep enough for every request of this gateway; an array of arrays costs memory by its depth.
inline constexpr int kJsonDepthMax = 8;

// Returns the document.  A Problem with 400: the text is not JSON, is nested deeper than
// kJsonDepthMax, or has more than `values_max` values; no more than so many are ever kept.
OrProblem<nlohmann::json> read_json(std::string_view text, std::size_t values_max);

}  // namespace gateway
