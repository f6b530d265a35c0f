#include "stages/pace.h"

#include <chrono>
#include <cstdint>

namespace stages {
namespace {

// Some inferences take twice as long as the one that was timed, for the host has more to do.
constexpr std::int64_t kSlack = 2;

std::string text(wire::Duration time) {
  return std::to_string(time / std::chrono::milliseconds(1)) + "ms";
}

// A round value that is not shorter.
wire::Duration rounded_up(wire::Duration time) {
  constexpr wire::Duration kStep = std::chrono::milliseconds(100);
  return (time + kStep - wire::Duration(1)) / kStep * kStep;
}

}  // namespace

std::vector<std::string> too_short(const GrantedTimes& granted, wire::Duration inference,
                                   std::size_t capacity) {
  const wire::Duration one = kSlack * inference;
  const wire::Duration all = one * static_cast<std::int64_t>(capacity);
  struct Setting {
    const char* name;
    wire::Duration value;
    wire::Duration least;
    const char* why;
  };
  const Setting settings[] = {
      {"broker.task_age_max", granted.task_age_max, all, "a stage that works would count as dead"},
      // One that waits, and another try for one that is lost.
      {"broker.deadline", granted.deadline, all + 2 * one,
       "images would end as `missing` though stages work on them"},
      {"broker.wait_max", granted.wait_max, all,
       "images would be refused though a stage is about to be free"},
      {"sink.patience_max", granted.patience_max, one,
       "collages would answer for stages that are not late"},
  };
  std::vector<std::string> clauses;
  for (const Setting& setting : settings) {
    if (setting.value >= setting.least) continue;
    clauses.push_back(std::string(setting.name) + " is " + text(setting.value) +
                      ", but an inference takes " + text(inference) + ": " + setting.why + "; " +
                      text(rounded_up(setting.least)) + " would do");
  }
  return clauses;
}

}  // namespace stages
