#include "wire/text.h"

#include <cstdio>

#include <cstddef>
#include <cstdint>

namespace wire {
namespace {

// What a lead byte announces: how many bytes follow, and the range of the first of them, which is
// what keeps out overlong forms, surrogates and code points beyond U+10FFFF.
struct Lead {
  std::size_t more;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
};

constexpr Lead kInvalid{0, 1, 0};

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

std::string short_name(std::uint64_t id) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string name;
  for (int shift = 60; shift >= 32; shift -= 4) name += kHex[(id >> shift) & 15];
  return name;
}

std::string step_text(const Step& step) {
  const auto ms = [](Duration age) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", to_seconds(age) * 1e3);
    return std::string(text);
  };
  std::string text = "step=" + std::string(step.what) +
                     " batch=" + short_name(step.batch.epoch.value) + ":" +
                     std::to_string(step.batch.sequence.value);
  if (step.slot) text += " slot=" + std::to_string(*step.slot);
  if (step.age) text += " age_ms=" + ms(*step.age);
  if (step.batch_age) text += " batch_age_ms=" + ms(*step.batch_age);
  if (step.producer != ProducerId{}) {
    text +=
        " producer=" + short_name(step.producer) + " request=" + std::to_string(step.request.value);
  }
  if (step.worker != WorkerId{}) text += " worker=" + short_name(step.worker);
  if (step.source != Source::none) text += " source=" + std::string(to_string(step.source));
  return text;
}

}  // namespace wire
