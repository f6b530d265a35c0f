#include "broker/health.h"

#include <algorithm>

#include "machine/slowness.h"

namespace broker {
namespace {

// Out of the last five tasks.  It takes more slow tasks to put a worker on probation than to keep
// it there, so that a worker on the edge does not change sides with every task.
constexpr std::ptrdiff_t kSlowTasksToEnter = 4;
constexpr std::ptrdiff_t kSlowTasksToStay = 3;

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
  return slow_tasks(usual) >= (on_probation ? kSlowTasksToStay : kSlowTasksToEnter);
}

bool Health::quick_once(wire::Duration usual) const {
  return slow_tasks(usual) < static_cast<std::ptrdiff_t>(std::min(count_, kTasks));
}

std::ptrdiff_t Health::slow_tasks(wire::Duration usual) const {
  return std::ranges::count_if(
      recent_, [usual](wire::Duration service) { return machine::is_slow(service, usual); });
}

}  // namespace broker
