// What the kernel knows of this process, under the names that every Prometheus client gives it.
#pragma once

#include "machine/telemetry.h"

namespace runtime {

class ProcessFigures {
 public:
  ProcessFigures();

  // CPU seconds, user and system; seconds since 1970 at the start; bytes of memory, resident and
  // virtual; file descriptors, open and allowed.  What /proc does not tell is left out.
  void add_to(machine::Telemetry& report) const;

 private:
  double started_;  // 0: not known.
};

}  // namespace runtime
