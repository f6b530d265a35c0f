// The clock by which forms of a network are compared and inferences are timed.
#pragma once

#include <time.h>

namespace models {

// Seconds that the calling thread has computed, exactly.  On a host where a whole fleet
// starts, a thread waits for its turn as long as it computes.  getrusage() would not do: in the
// middle of a time slice it may tell what it was 4 ms before.
inline double seconds_used() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

}  // namespace models
