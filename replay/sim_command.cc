// Many seeds of the simulator: each draws a pipeline, its traffic and what goes wrong, and is
// judged from outside.
#include <cstdio>

#include "replay/commands.h"
#include "replay/progress.h"
#include "replay/sim/trial.h"
#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/signals.h"

namespace replay {
namespace {

struct Sum {
  std::uint64_t seeds = 0, requests = 0, events = 0;
  std::vector<std::uint64_t> failed;
};

void add(Sum& sum, const sim::TrialReport& report) {
  sum.seeds += 1;
  sum.requests += report.counts.asked;
  sum.events += report.events;
  if (report.passed()) return;
  sum.failed.push_back(report.seed);
  std::printf("\nseed %llu FAILS\n%s\nIt becomes a test in tests/sim/trial_test.cc.\n",
              static_cast<unsigned long long>(report.seed),
              sim::explain(sim::draw_options(report.seed)).c_str());
}

}  // namespace

int run_sim(const SimOptions& options) {
  if (options.first > options.last) throw runtime::ConfigError("--seeds: the first is the larger");
  runtime::Signals signals;
  const std::size_t count = options.last - options.first + 1;
  Progress progress("simulating", "seeds", count);
  const wire::Instant begun = runtime::now();
  Sum sum;
  for (std::uint64_t seed = options.first; sum.seeds < count && signals.take_stops() == 0; ++seed) {
    const sim::TrialReport report = sim::run_trial(sim::draw_options(seed));
    add(sum, report);
    if (options.hashes) {
      std::printf("%llu %016llx\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(report.hash));
    }
    progress.at(sum.seeds);
    if (sum.failed.size() >= options.failures_max) break;
  }
  const double seconds = wire::to_seconds(runtime::now() - begun);
  std::printf(
      "%llu seeds, %llu requests, %llu events in %.0f s (%.0f requests a second): %zu failed\n",
      static_cast<unsigned long long>(sum.seeds), static_cast<unsigned long long>(sum.requests),
      static_cast<unsigned long long>(sum.events), seconds,
      static_cast<double>(sum.requests) / seconds, sum.failed.size());
  return sum.failed.empty() && sum.seeds == count ? 0 : 1;
}

}  // namespace replay
