// Parses and prints amounts with units, as users write them: "250ms", "16MiB".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace runtime {

inline constexpr std::string_view kDurationUnits = "ns, us, ms, s, m, h";
inline constexpr std::string_view kByteUnits = "B, KiB, MiB, GiB";

// Parses a decimal number with a unit of kDurationUnits, such as "1.5s"; the number may be
// negative.  Returns nullopt for any other text, for a number without a unit, and for more than
// 2^62 nanoseconds (146 years).
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// Prints a duration in the largest unit that needs no fraction: "250ms", "90s", "0s".
std::string duration_text(std::chrono::nanoseconds duration);

// Parses a whole number of bytes, with or without a unit of kByteUnits: "4096", "16MiB".  Returns
// nullopt for any other text and for 2^63 bytes or more.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

// Prints a number of bytes in the largest unit that needs no fraction: "16MiB", "1000B".
std::string bytes_text(std::uint64_t bytes);

// Parses a finite decimal number; nullopt for any other text.
std::optional<double> parse_number(std::string_view text);

// Parses a whole decimal number; nullopt for any other text and for a number beyond 64 bits.
std::optional<std::int64_t> parse_integer(std::string_view text);

// Prints the shortest decimal that reads back as the same number.
std::string number_text(double number);

}  // namespace runtime
