#include "replay/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/check.h"

#include "replay/report/statistics.h"

namespace replay::report {
namespace {

bool has_batches(const Summary& summary) {
  return std::ranges::all_of(summary.policies,
                             [](const PolicyRun& run) { return run.per_batch.count > 0; });
}

bool apart(const Distribution& a, const Distribution& b) {
  return a.p99_low_s > b.p99_high_s || b.p99_low_s > a.p99_high_s;
}

std::string row(std::size_t number, const Distribution& d, const Distribution& first) {
  const std::string interval =
      fmt::format("[{:.0f}, {:.0f}]", in_ms(d.p99_low_s), in_ms(d.p99_high_s));
  std::string ratio;
  if (&d != &first && first.p99_s > 0) {
    ratio = fmt::format("{:.2f}{}", d.p99_s / first.p99_s, apart(d, first) ? "*" : " ");
  }
  return fmt::format("  {:<12}{:>7.0f}{:>7.0f}{:>7.0f}{:>7.0f}{:>8.0f} {:>15}{:>10}\n", number,
                     in_ms(d.mean_s), in_ms(d.sd_s), in_ms(d.p50_s), in_ms(d.p99_s),
                     in_ms(d.p999_s), interval, ratio);
}

const PolicyRun* find(const Summary& summary, const std::string& policy) {
  const auto found = std::ranges::find(summary.policies, policy, &PolicyRun::name);
  return found == summary.policies.end() ? nullptr : &*found;
}

}  // namespace

Summary merged(const std::vector<Compared>& runs) {
  COLLAGE_CHECK(!runs.empty());
  Summary all;
  all.mode = "compare";
  for (const Compared& compared : runs) {
    const Summary& one = compared.summary;
    all.scenario += (all.scenario.empty() ? "" : " and ") + compared.name;
    all.about += fmt::format("{}: {}, {}; {}, at commit {} on {}{}{}. ", compared.name,
                             one.scenario, one.mode, one.command, one.commit, one.machine,
                             one.host.empty() ? "" : ", host " + one.host,
                             one.date.empty() ? "" : ", " + one.date);
    for (PolicyRun run : one.policies) {
      run.name += ", " + compared.name;
      run.examples.clear();  // The same image number is another picture in another run.
      all.policies.push_back(std::move(run));
    }
    const auto append = [&](auto& rows, auto more) {
      for (auto& row : more) row.policy += ", " + compared.name;
      rows.insert(rows.end(), more.begin(), more.end());
    };
    append(all.load, one.load);
    append(all.seconds, one.seconds);
    append(all.producers, one.producers);
    append(all.groups, one.groups);
  }
  return all;
}

std::string comparison_table(const std::vector<Compared>& runs) {
  COLLAGE_CHECK(!runs.empty());
  const bool batches =
      std::ranges::all_of(runs, [](const Compared& one) { return has_batches(one.summary); });
  const auto figures = [batches](const PolicyRun& run) -> const Distribution& {
    return batches ? run.per_batch : run.per_request;
  };
  std::string out, alone, partly;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    out += fmt::format("{}  {} ({})\n", i + 1, runs[i].name, runs[i].summary.mode);
    for (const PolicyRun& run : runs[i].summary.policies) {
      if (run.unanswered > 0) {
        partly += fmt::format("only {} of the images answered in {}: {}\n", answered_share(run),
                              i + 1, run.name);
      }
      if (find(runs.front().summary, run.name)) continue;
      alone += fmt::format("only in {}: {}\n", i + 1, run.name);
    }
  }
  out += fmt::format("\n{:<14}{:>7}{:>7}{:>7}{:>7}{:>8} {:>15}{:>10}\n",
                     batches ? "a batch, ms" : "an image, ms", "mean", "sd", "p50", "p99", "p99.9",
                     "95 % of p99", "p99 x");
  for (const PolicyRun& first : runs.front().summary.policies) {
    out += first.name + "\n";
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const PolicyRun* same = find(runs[i].summary, first.name);
      if (same) out += row(i + 1, figures(*same), figures(first));
    }
  }
  return out + partly + alone;
}

}  // namespace replay::report
