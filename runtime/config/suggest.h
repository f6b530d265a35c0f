// Finds the known key that is nearest to a mistyped one, for "did you mean" in errors.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace runtime {

// Returns the element of `known` with the fewest single-character changes (insert, delete, replace,
// swap two neighbours) from `word`, the first among equals; nullopt if it takes more changes than a
// third of the characters of `word`, rounded up.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

}  // namespace runtime
