// How far a long run is, on standard error: one line that moves on a terminal, a line now and then
// in a file.
#pragma once

#include <cstddef>
#include <string>

#include "wire/types.h"

namespace replay {

class Progress {
 public:
  // "none, live   120/2000 batches, 35 s left": `what`, and `total` of `unit`.
  Progress(std::string what, std::string unit, std::size_t total);
  void at(std::size_t done);

 private:
  const std::string what_, unit_;
  const std::size_t total_;
  const wire::Instant begun_;
  const bool tty_;
  double told_s_ = 0;
};

}  // namespace replay
