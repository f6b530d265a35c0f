#include "replay/live/start_watch.h"

#include <algorithm>

namespace replay::live {

StartWatch::StartWatch(wire::Instant begin, wire::Duration limit, const Exited& absent)
    : begin_(begin), limit_(limit), absent_(absent) {}

std::optional<std::string> StartWatch::hopeless(const Exited& exited, wire::Instant now) const {
  for (const auto& process : exited) {
    if (std::ranges::find(absent_, process.first, &Exited::value_type::first) != absent_.end()) {
      continue;
    }
    return process.first + " has exited with " + std::to_string(process.second);
  }
  if (now - begin_ < limit_) return std::nullopt;
  return "not ready after " + std::to_string(limit_ / std::chrono::seconds(1)) + " s";
}

}  // namespace replay::live
