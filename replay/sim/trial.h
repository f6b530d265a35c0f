// One seed, run: a hostile phase, then a calm one, judged by a Checker.
//
//     0            hostile                      recovery              calm
//     | traffic, loss, crashes, stalls ...  |  all is repaired  |  a few requests more  | end
//
// After the recovery every request of the hostile phase is settled, and those of the calm one have
// to be answered.
//
// Deterministic: a seed has one hash.
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
  std::string log;  // The last lines up to the first violation, if asked for.

  bool passed() const { return violations.empty(); }
};

TrialReport run_trial(const TrialOptions& options, std::size_t log_lines = 0);

// What a failing seed has to say: its options, what was violated and the end of its log, from a
// second run.
std::string explain(const TrialOptions& options, std::size_t log_lines = 60);

}  // namespace replay::sim
