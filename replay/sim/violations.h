// The broken invariants of a run, as texts.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "replay/sim/event_log.h"

namespace replay::sim {

class Violations {
 public:
  // Borrows the log, which keeps its lines as they are from the first violation on.
  explicit Violations(EventLog& log) : log_(log) {}

  void add(const std::string& what, wire::Instant now) {
    log_.line("VIOLATION " + what, now);
    log_.freeze();
    if (texts_.size() < kTextsMax) texts_.push_back(what);
  }
  // The first ones; later ones usually follow from them.
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  static constexpr std::size_t kTextsMax = 8;

  EventLog& log_;
  std::vector<std::string> texts_;
};

}  // namespace replay::sim
