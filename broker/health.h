// How quick a worker has been lately, compared with the others.
//
// A worker is slow if four of its last five tasks were slow (machine/slowness.h).  One straggling
// task is an everyday event; four of five are the worker's own fault.  Pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "wire/types.h"

namespace broker {

class Health {
 public:
  // Adds the service time of a task: from its assignment until the worker held it no more.
  void add(wire::Duration service);

  // The median service time of the last five tasks; nullopt before there were five.
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
  std::size_t count_ = 0;  // Number of all tasks so far.
};

}  // namespace broker
