// "Did you mean": the known word nearest to a mistyped one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace runtime {

// The known word with the fewest single-character changes (insert, delete, replace, swap two
// neighbours) from `word`, the first among equals; nullopt if that is more than a third of the
// word's characters, rounded up.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

}  // namespace runtime
