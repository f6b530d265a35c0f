#include "wire/utf8.h"

#include <cstddef>
#include <cstdint>

namespace wire {
namespace {

// The meaning of a lead byte: how many bytes follow, and the allowed range of the first of them.
// This range excludes overlong forms, surrogates and code points above U+10FFFF.
struct Lead {
  std::size_t more;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
};

constexpr Lead kInvalid{0, 1, 0};  // An empty range, which no byte is in.

constexpr Lead lead(std::uint8_t byte) {
  if (byte < 0x80) return {0};
  if (byte < 0xc2) return kInvalid;
  if (byte < 0xe0) return {1};
  if (byte == 0xe0) return {2, 0xa0};
  if (byte == 0xed) return {2, 0x80, 0x9f};
  if (byte < 0xf0) return {2};
  if (byte == 0xf0) return {3, 0x90};
  if (byte < 0xf4) return {3};
  return byte == 0xf4 ? Lead{3, 0x80, 0x8f} : kInvalid;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Lead first = lead(byte(i));
    if (first.low > first.high || text.size() - i <= first.more) return false;
    for (std::size_t k = 1; k <= first.more; ++k) {
      const std::uint8_t low = k == 1 ? first.low : 0x80;
      const std::uint8_t high = k == 1 ? first.high : 0xbf;
      if (byte(i + k) < low || byte(i + k) > high) return false;
    }
    i += first.more;
  }
  return true;
}

}  // namespace wire
