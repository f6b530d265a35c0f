#include "broker/health.h"

#include <algorithm>

namespace broker {
namespace {

constexpr int kSlowFactor = 2;
constexpr std::ptrdiff_t kSlowTasks = 4;      // Of the last five, to be put on probation,
constexpr std::ptrdiff_t kSlowTasksLeft = 3;  // and to be kept there.

}  // namespace

void Health::add(wire::Duration service) { recent_[count_++ % kTasks] = service; }

std::optional<wire::Duration> Health::median() const {
  if (count_ < kTasks) return std::nullopt;
  std::array<wire::Duration, kTasks> sorted = recent_;
  std::ranges::sort(sorted);
  return sorted[kTasks / 2];
}

bool Health::slow(wire::Duration usual, bool on_probation) const {
  if (count_ < kTasks) return false;
  return slow_tasks(usual) >= (on_probation ? kSlowTasksLeft : kSlowTasks);
}

bool Health::quick_once(wire::Duration usual) const {
  return slow_tasks(usual) < static_cast<std::ptrdiff_t>(std::min(count_, kTasks));
}

std::ptrdiff_t Health::slow_tasks(wire::Duration usual) const {
  return std::ranges::count_if(
      recent_, [usual](wire::Duration service) { return service > kSlowFactor * usual; });
}

std::optional<wire::Duration> usual_service(std::vector<wire::Duration> medians) {
  if (medians.size() < 2) return std::nullopt;
  const auto middle = medians.begin() + static_cast<std::ptrdiff_t>((medians.size() - 1) / 2);
  std::ranges::nth_element(medians, middle);
  return *middle;
}

}  // namespace broker
