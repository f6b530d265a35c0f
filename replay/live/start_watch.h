// Decides how long it makes sense to wait for processes that are starting.
//
// A busy host may need minutes to load the models of a fleet, so slowness alone is no failure.  A
// process that has exited is one: it will never be ready.  A wait that consults a StartWatch fails
// at once in the second case and only after a generous limit in the first.
//
// Pure: the caller passes the processes that have exited, and `now`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wire/types.h"

namespace replay::live {

// Names and exit codes of processes (128 + signal number if a signal ended one).
using Exited = std::vector<std::pair<std::string, int>>;

// Longest wait for a fleet whose processes are all alive.  It is long on purpose: only a process
// that hangs reaches it, and a busy host makes a start last many times longer than an idle one.
inline constexpr wire::Duration kReadyMax = std::chrono::minutes(10);
// Longest wait for a process that has been asked to end.  It drains for up to five seconds; a
// process that is asked while it still loads a model notices only after that.
inline constexpr wire::Duration kStopMax = std::chrono::minutes(2);

class StartWatch {
 public:
  // Processes in `absent` have exited before the wait begins and do not end it.
  StartWatch(wire::Instant begin, wire::Duration limit, const Exited& absent = {});

  // Returns nullopt while waiting makes sense, otherwise the reason why it does not:
  // "sink has exited with 2", "not ready after 600 s".
  std::optional<std::string> hopeless(const Exited& exited, wire::Instant now) const;

 private:
  const wire::Instant begin_;
  const wire::Duration limit_;
  const Exited absent_;
};

}  // namespace replay::live
