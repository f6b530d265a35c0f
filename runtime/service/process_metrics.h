// Metrics of this process from the kernel, under the usual names of Prometheus clients.
#pragma once

#include "machine/telemetry.h"

namespace runtime {

class ProcessFigures {
 public:
  ProcessFigures();

  // Adds the CPU time (seconds, user and system), the start (seconds since 1970), resident and
  // virtual memory (bytes), open and allowed file descriptors.  What /proc does not have is left
  // out.
  void add_to(machine::Telemetry& report) const;

 private:
  double started_;  // Seconds since 1970; 0 if not known.
};

}  // namespace runtime
