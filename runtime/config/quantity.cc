#include "runtime/config/quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace runtime {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

// Ordered from the largest to the smallest: in_units takes the first unit that divides the amount.
constexpr std::array kDurations{
    Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},        Unit{"us", 1'000},         Unit{"ns", 1}};
constexpr std::array kBytes{Unit{"GiB", std::int64_t{1} << 30}, Unit{"MiB", std::int64_t{1} << 20},
                            Unit{"KiB", std::int64_t{1} << 10}, Unit{"B", 1}};

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

// Returns the offset of the unit: after the last digit or point.
std::size_t unit_at(std::string_view text) {
  const std::size_t last = text.find_last_of("0123456789.");
  return last == std::string_view::npos ? 0 : last + 1;
}

template <class Units>
std::int64_t size_of(const Units& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.size;
  }
  return 0;
}

template <class Units>
std::string in_units(const Units& units, std::int64_t amount, std::string_view zero) {
  if (amount == 0) return std::string(zero);
  for (const Unit& unit : units) {
    if (amount % unit.size == 0) return std::to_string(amount / unit.size).append(unit.name);
  }
  return std::to_string(amount);
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const std::size_t split = unit_at(text);
  const std::int64_t unit = size_of(kDurations, text.substr(split));
  const auto number = parse_number(text.substr(0, split));
  if (unit == 0 || !number) return std::nullopt;
  const double nanoseconds = *number * static_cast<double>(unit);
  // Half of the range of 64 bits, so that callers may add two durations without an overflow.
  if (std::abs(nanoseconds) > 0x1p62) return std::nullopt;
  return std::chrono::nanoseconds(std::llround(nanoseconds));
}

std::string duration_text(std::chrono::nanoseconds duration) {
  return in_units(kDurations, duration.count(), "0s");
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const std::size_t split = unit_at(text);
  const std::string_view name = text.substr(split);
  const std::int64_t unit = name.empty() ? 1 : size_of(kBytes, name);
  const auto number = parse<std::uint64_t>(text.substr(0, split));
  if (unit == 0 || !number) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(unit);
  // The signed maximum, because bytes_text prints signed 64 bits.
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (*number > kMost / size) return std::nullopt;
  return *number * size;
}

std::string bytes_text(std::uint64_t bytes) {
  return in_units(kBytes, static_cast<std::int64_t>(bytes), "0B");
}

std::optional<double> parse_number(std::string_view text) {
  // from_chars also reads "inf" and "nan", which no setting can use.
  const auto number = parse<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  return parse<std::int64_t>(text);
}

std::string number_text(double number) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), result.ptr};
}

}  // namespace runtime
