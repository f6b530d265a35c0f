// Shows on standard error how far a long run is: one line that is rewritten on a terminal, a line
// for each quarter in a file.
#pragma once

#include <cstddef>
#include <string>

#include "wire/types.h"

namespace replay {

class Progress {
 public:
  // Prints "none, live   120/2000 batches, 35 s left", where `what` is "none, live", `unit` is
  // "batches" and `total` is 2000.
  Progress(std::string what, std::string unit, std::size_t total);
  void at(std::size_t done);

 private:
  const std::string what_, unit_;
  const std::size_t total_;
  const wire::Instant begun_;
  const bool tty_;
  double printed_s_ = 0;  // When the line was last printed, in seconds since begun_.
};

}  // namespace replay
