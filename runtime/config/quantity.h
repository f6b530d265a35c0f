// Amounts with units, as users write them: "250ms", "16MiB".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace runtime {

inline constexpr std::string_view kDurationUnits = "ns, us, ms, s, m, h";
inline constexpr std::string_view kByteUnits = "B, KiB, MiB, GiB";

// A decimal number with a unit of kDurationUnits, such as "1.5s"; nullopt for anything else, a
// bare number too, and for what does not fit.  May be negative.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view words);

// The duration in the largest unit that needs no fraction: "250ms", "90s", "0s".
std::string duration_text(std::chrono::nanoseconds duration);

// A whole number of bytes, or one with a unit of kByteUnits: "4096", "16MiB".
std::optional<std::uint64_t> parse_bytes(std::string_view words);

// The bytes in the largest unit that needs no fraction: "16MiB", "1000B".
std::string bytes_text(std::uint64_t bytes);

// A decimal number, finite; nullopt for anything else.
std::optional<double> parse_number(std::string_view words);

// A whole decimal number; nullopt for anything else and for what does not fit.
std::optional<std::int64_t> parse_integer(std::string_view words);

// The shortest decimal that reads back as the same number.
std::string number_text(double number);

}  // namespace runtime
