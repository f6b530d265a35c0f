// Runs one seed: a hostile phase, then a calm one, judged by a Checker.
//
//     0            hostile                      recovery              calm
//     | traffic, loss, crashes, stalls ...  |  all is repaired  |  a few requests more  | end
//
// After the recovery every request of the hostile phase must be settled, and every request of the
// calm phase must be answered.
//
// Deterministic: two runs of one seed have the same hash.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "replay/sim/checker.h"
#include "replay/sim/trial_options.h"

namespace replay::sim {

struct TrialReport {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  Checker::Counts counts;
  std::vector<std::string> violations;
  std::string log;  // The last lines before the first violation; empty if log_lines is 0.

  bool passed() const { return violations.empty(); }
};

TrialReport run_trial(const TrialOptions& options, std::size_t log_lines = 0);

// Runs a seed again and returns its options, its violations and the end of its log as text.
std::string explain(const TrialOptions& options, std::size_t log_lines = 60);

}  // namespace replay::sim
