#include "replay/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/check.h"

namespace replay::report {
namespace {

double ms(double seconds) { return seconds * 1000; }

// An open loop has no batches.
const Distribution& figures(const PolicyRun& run) {
  return run.per_batch.count > 0 ? run.per_batch : run.per_request;
}

bool apart(const Distribution& a, const Distribution& b) {
  return a.p99_low_s > b.p99_high_s || b.p99_low_s > a.p99_high_s;
}

std::string row(const std::string& name, const PolicyRun& run, const PolicyRun& first) {
  const Distribution& d = figures(run);
  const Distribution& beside = figures(first);
  const std::string interval = fmt::format("[{:.0f}, {:.0f}]", ms(d.p99_low_s), ms(d.p99_high_s));
  std::string ratio;
  if (&run != &first && beside.p99_s > 0) {
    ratio = fmt::format("{:.2f}{}", d.p99_s / beside.p99_s, apart(d, beside) ? "*" : " ");
  }
  return fmt::format("  {:<22.22}{:>6.0f}{:>6.0f}{:>6.0f}{:>6.0f} {:>13}{:>7.0f}{:>8}\n", name,
                     ms(d.mean_s), ms(d.p50_s), ms(d.p95_s), ms(d.p99_s), interval, ms(d.p999_s),
                     ratio);
}

}  // namespace

Summary merged(const std::vector<Compared>& runs) {
  COLLAGE_CHECK(!runs.empty());
  Summary all = runs.front().summary;
  all.policies.clear();
  all.mode = "compare";
  all.scenario.clear();
  all.about = "Runs side by side:";
  for (const Compared& compared : runs) {
    const Summary& one = compared.summary;
    all.scenario += (all.scenario.empty() ? "" : " beside ") + compared.name;
    all.about += fmt::format(" {} is {} ({}), commit {}, {}.", compared.name, one.scenario,
                             one.mode, one.commit, one.command);
    for (PolicyRun run : one.policies) {
      run.name += ", " + compared.name;
      run.examples.clear();  // The same image number is another picture in another run.
      all.policies.push_back(std::move(run));
    }
  }
  all.pictures.clear();
  return all;
}

std::string comparison_table(const std::vector<Compared>& runs) {
  COLLAGE_CHECK(!runs.empty());
  std::string out = fmt::format("{:<24}{:>6}{:>6}{:>6}{:>6} {:>13}{:>7}{:>8}\n", "ms", "mean",
                                "p50", "p95", "p99", "95 % of p99", "p99.9", "p99 x");
  for (const PolicyRun& first : runs.front().summary.policies) {
    out += first.name + "\n";
    out += row(runs.front().name, first, first);
    for (std::size_t i = 1; i < runs.size(); ++i) {
      const std::vector<PolicyRun>& others = runs[i].summary.policies;
      const auto same = std::ranges::find(others, first.name, &PolicyRun::name);
      if (same != others.end()) out += row(runs[i].name, *same, first);
    }
  }
  return out;
}

}  // namespace replay::report
