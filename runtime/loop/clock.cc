#include "runtime/loop/clock.h"

#include <chrono>

namespace runtime {
namespace {

using Steady = std::chrono::steady_clock;

Steady::time_point start() {
  static const Steady::time_point first = Steady::now();
  return first;
}

// Initialised before main, so that an Instant counts from the start of the process and not from the
// first call of now().
[[maybe_unused]] const Steady::time_point kStart = start();

}  // namespace

wire::Instant now() {
  const Steady::time_point first = start();
  return {std::chrono::duration_cast<wire::Duration>(Steady::now() - first)};
}

}  // namespace runtime
