// collage-replay sim: runs many seeds of the simulator.
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "replay/commands/commands.h"
#include "replay/commands/progress.h"
#include "replay/sim/trial.h"
#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/signals.h"

namespace replay {
namespace {

struct SimOptions {
  std::string seeds = "1..1000";  // As typed: FIRST..LAST, or one.
  std::uint64_t first = 1, last = 1000;
  std::size_t failures_max = 5;  // Number of failed seeds after which the run ends.
  bool hashes = false;           // Whether the hash of each seed is printed.
};

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
  std::printf("\nseed %llu FAILS\n%s\nKeep it as a test in tests/sim/trial_test.cc.\n",
              static_cast<unsigned long long>(report.seed),
              sim::explain(sim::draw_options(report.seed)).c_str());
}

// "7" or "1..1000".
void read_seeds(const std::string& text, SimOptions& options) {
  const std::size_t dots = text.find("..");
  const std::string first = text.substr(0, dots);
  const std::string last = dots == text.npos ? first : text.substr(dots + 2);
  const auto read = [&](const std::string& part, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size()) {
      throw runtime::ConfigError("--seeds: is '" + text + "', must be FIRST..LAST");
    }
  };
  read(first, options.first);
  read(last, options.last);
}

int run_sim(const SimOptions& options) {
  if (options.first > options.last)
    throw runtime::ConfigError("--seeds: FIRST must not be larger than LAST");
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

}  // namespace

void add_sim_command(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<SimOptions>();
  CLI::App* verb = app.add_subcommand(
      "sim",
      "Simulates pipelines that are drawn from seeds, with traffic, crashes and bad links, and\n"
      "checks that no request is lost, late without an error, or answered wrongly.\n\n"
      "  collage-replay sim --seeds 1..100000");
  verb->add_option("--seeds", options->seeds, "FIRST..LAST, or one.")->capture_default_str();
  verb->add_option("--failures", options->failures_max, "Ends after so many failed seeds.")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_flag("--hashes", options->hashes, "Prints the hash of each seed.");
  verbs.push_back({verb, [options] {
                     read_seeds(options->seeds, *options);
                     return run_sim(*options);
                   }});
}

}  // namespace replay
