#include "machine/trace.h"

#include <cstdio>

namespace machine {

std::string short_name(std::uint64_t id) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string name;
  // Eight digits: long enough to tell the processes of a pipeline apart, short enough for a line.
  for (int shift = 60; shift >= 32; shift -= 4) name += kHex[(id >> shift) & 15];
  return name;
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
