#include "stages/pace.h"

#include <chrono>
#include <cstdint>

namespace stages {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kSlack = 2;
constexpr wire::Duration kQuick = 10ms;

// Rounded up to `step`.
std::string text(wire::Duration time, wire::Duration step = std::chrono::milliseconds(1)) {
  const wire::Duration rounded = (time + step - wire::Duration(1)) / step * step;
  return std::to_string(rounded / std::chrono::milliseconds(1)) + "ms";
}

}  // namespace

std::uint32_t classifier_capacity(std::optional<std::uint32_t> given, bool emulates,
                                  wire::Duration inference) {
  if (given) return *given;
  return emulates || inference > kQuick ? 1 : 2;
}

std::vector<std::string> too_short(const GrantedTimes& granted, wire::Duration inference,
                                   std::size_t tasks) {
  const auto count = static_cast<std::int64_t>(tasks);
  std::vector<std::string> clauses;
  const auto check = [&](const char* setting, wire::Duration value, std::int64_t inferences,
                         const char* otherwise) {
    const wire::Duration least = kSlack * inferences * inference;
    if (value >= least) return;
    clauses.push_back(std::string(setting) + " is " + text(value) + ", but " +
                      std::to_string(inferences) +
                      (inferences == 1 ? " inference of " : " inferences of ") + text(inference) +
                      " may last twice as long as on an idle host: " + otherwise + "; " +
                      text(least, std::chrono::milliseconds(100)) + " would do");
  };
  check("broker.task_age_max", granted.task_age_max, count,
        "a stage that works would count as dead");
  // One more that is under way when the image comes, and one for another try.
  check("broker.deadline", granted.deadline, count + 2,
        "images would end as `missing` though stages work on them");
  if (granted.patience) {
    check(granted.patience->setting, granted.patience->value, 1,
          "collages would answer for stages that are not late");
  }
  return clauses;
}

}  // namespace stages
