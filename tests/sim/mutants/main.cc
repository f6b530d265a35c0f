// Runs the simulator's seeds on a pipeline that was broken on purpose, and expects the checkers to
// see it: mutant_<name> SEEDS.  Each seed is run with the producers' features and without them, for
// a cancel may hide what an answer would show.
#include <cstdio>
#include <cstdlib>

#include "replay/sim/failover_trial.h"
#include "replay/sim/trial.h"

int main(int argc, char** argv) {
  const long seeds = argc > 1 ? std::atol(argv[1]) : 1000;
  for (long seed = 1; seed <= seeds; ++seed) {
    const auto failover = replay::sim::run_failover_trial(static_cast<std::uint64_t>(seed));
    if (!failover.violations.empty()) {
      std::printf("caught by seed %ld: %s\n", seed, failover.violations.front().c_str());
      return 0;
    }
    const auto drawn = replay::sim::draw_options(static_cast<std::uint64_t>(seed));
    for (const auto& options : {drawn, replay::sim::without_features(drawn)}) {
      const replay::sim::TrialReport report = replay::sim::run_trial(options);
      if (report.passed()) continue;
      std::printf("caught by seed %ld: %s\n", seed, report.violations.front().c_str());
      return 0;
    }
  }
  std::printf("not caught by %ld seeds\n", seeds);
  return 1;
}
