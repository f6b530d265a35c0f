// The clock by which forms of a network are compared.
#pragma once

#include <sys/resource.h>

namespace models {

// Seconds that the calling thread has computed.  On a host where a whole fleet starts, a thread
// waits for its turn as long as it computes.
inline double seconds_used() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace models
