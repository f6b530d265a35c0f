#include "replay/commands/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "runtime/loop/clock.h"

namespace replay {

Progress::Progress(std::string what, std::string unit, std::size_t total)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      begun_(runtime::now()),
      tty_(isatty(STDERR_FILENO) == 1) {}

void Progress::at(std::size_t done) {
  const double elapsed = wire::to_seconds(runtime::now() - begun_);
  const std::size_t step = std::max<std::size_t>(1, total_ / 4);
  const bool due = tty_ ? elapsed - printed_s_ > 0.1 : done % step == 0;
  if (done != total_ && !due) return;
  printed_s_ = elapsed;
  const double left =
      done == 0 ? 0 : elapsed / static_cast<double>(done) * static_cast<double>(total_ - done);
  const std::string line =
      fmt::format("{:<24} {:>7}/{} {}, {:>4.0f} s left", what_, done, total_, unit_, left);
  std::fprintf(stderr, tty_ ? "\r%s%s" : "%s%s", line.c_str(), !tty_ || done == total_ ? "\n" : "");
}

}  // namespace replay
