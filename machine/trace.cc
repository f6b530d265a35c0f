#include "machine/trace.h"

#include <cstdio>

namespace machine {
namespace {

// The hexadecimal digits of an id from the highest on.
std::string digits(std::uint64_t id, int count) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift > 60 - 4 * count; shift -= 4) text += kHex[(id >> shift) & 15];
  return text;
}

}  // namespace

// Eight digits: long enough to tell the processes of a pipeline apart, short enough for a line.
std::string short_name(std::uint64_t id) { return digits(id, 8); }

std::string long_name(std::uint64_t high, std::uint64_t low) {
  return digits(high, 16) + digits(low, 16);
}

std::string trace_text(const TraceEvent& event) {
  const auto ms = [](wire::Duration age) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", wire::to_seconds(age) * 1e3);
    return std::string(text);
  };
  std::string text = "step=" + std::string(event.what) +
                     " batch=" + short_name(event.batch.epoch.value) + ":" +
                     std::to_string(event.batch.sequence.value);
  if (event.slot) text += " slot=" + std::to_string(*event.slot);
  if (event.age) text += " age_ms=" + ms(*event.age);
  if (event.batch_age) text += " batch_age_ms=" + ms(*event.batch_age);
  if (event.producer != wire::ProducerId{}) {
    text += " producer=" + short_name(event.producer) +
            " request=" + std::to_string(event.request.value);
  }
  if (event.worker != wire::WorkerId{}) text += " worker=" + short_name(event.worker);
  if (event.source != wire::Source::none) text += " source=" + std::string(to_string(event.source));
  return text;
}

}  // namespace machine
