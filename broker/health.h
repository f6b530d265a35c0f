// How quick a worker has been lately, compared with the others.
//
// A worker is slow if four of its last five tasks took more than twice as long as is usual: one
// straggling task is everyday, four are the worker's own.  Pure.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "wire/types.h"

namespace broker {

class Health {
 public:
  // A task took that long, from its assignment until the worker held it no more.
  void add(wire::Duration service);

  // The middle of the last tasks; nothing until there were enough to judge by.
  std::optional<wire::Duration> median() const;
  // Requires usual > 0.  A worker that is on probation stays slow until three of its last five
  // tasks were quick.
  bool slow(wire::Duration usual, bool on_probation) const;
  // Whether any of the last five tasks was quick.
  bool quick_once(wire::Duration usual) const;

 private:
  std::ptrdiff_t slow_tasks(wire::Duration usual) const;

  static constexpr std::size_t kTasks = 5;
  std::array<wire::Duration, kTasks> recent_{};
  std::size_t count_ = 0;  // Of all tasks so far.
};

// What is usual among workers with these medians: the middle one, the lower of two; nothing if
// there are fewer than two to compare.
std::optional<wire::Duration> usual_service(std::vector<wire::Duration> medians);

}  // namespace broker
