#include "replay/report/load_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "replay/report/statistics.h"

namespace replay::report {
namespace {

double answered_share(const SecondFigures& second) {
  return second.offered == 0
             ? 1
             : static_cast<double>(second.answered) / static_cast<double>(second.offered);
}

// The figures of the seconds of one policy.
CrowdFigures crowd_of(std::span<const SecondFigures> seconds) {
  CrowdFigures crowd{.policy = seconds.front().policy};
  const double highest =
      std::ranges::max_element(seconds, {}, &SecondFigures::per_second)->per_second;
  const auto is_highest = [highest](const SecondFigures& s) { return s.per_second == highest; };
  const auto begin = std::ranges::find_if(seconds, is_highest);
  const auto end = std::find_if_not(begin, seconds.end(), is_highest);
  double lowest = 1;  // Share of answers of a second before.
  for (auto at = seconds.begin(); at != begin; ++at) {
    crowd.before_s = std::max(crowd.before_s, at->p99_s);
    lowest = std::min(lowest, answered_share(*at));
  }
  std::uint64_t offered = 0, answered = 0;
  for (auto at = begin; at != end; ++at) {
    crowd.during_s = std::max(crowd.during_s, at->p99_s);
    offered += at->offered;
    answered += at->answered;
  }
  crowd.answered =
      static_cast<double>(answered) / static_cast<double>(std::max<std::uint64_t>(offered, 1));
  for (auto at = end; at != seconds.end(); ++at) {
    crowd.after_s = std::max(crowd.after_s, at->p99_s);
    const bool as_before = at->p99_s <= crowd.before_s && answered_share(*at) >= lowest;
    if (as_before && !crowd.recovery_s) crowd.recovery_s = at->at_s - end->at_s;
  }
  return crowd;
}

}  // namespace

std::vector<CrowdFigures> crowds_of(const std::vector<SecondFigures>& seconds) {
  std::vector<CrowdFigures> crowds;
  for (auto first = seconds.begin(); first != seconds.end();) {
    const auto last = std::find_if(
        first, seconds.end(), [&](const SecondFigures& s) { return s.policy != first->policy; });
    crowds.push_back(crowd_of({first, last}));
    first = last;
  }
  return crowds;
}

std::string load_table(const std::vector<LoadPoint>& points) {
  std::string out = fmt::format("{:<16}{:>6}{:>9}{:>8}{:>8}{:>6}{:>6}{:>6}{:>8}{:>7}\n",
                                "images a second", "load", "answered", "refused", "missing", "mean",
                                "p50", "p99", "collage", "wasted");
  for (const LoadPoint& p : points) {
    const std::string name =
        p.collages == 0 ? p.policy : fmt::format("{}, {}", p.policy, p.collages);
    out += fmt::format(
        "{:<16}{:>6.0f}{:>9.2f}{:>8.2f}{:>8.2f}{:>6.0f}{:>6.0f}{:>6.0f}{:>8.2f}"
        "{:>7.1f}\n",
        name, p.per_second, 100 * p.answered, 100 * p.refused, 100 * p.missing, in_ms(p.mean_s),
        in_ms(p.p50_s), in_ms(p.p99_s), 100 * p.collage_share, in_ms(p.wasted_s));
    if (p.violations > 0) out += fmt::format("  violations: {}\n", p.violations);
  }
  return out +
         "Behind a policy: its collage stages.  Per cent of the images offered, ms of\n"
         "those answered; wasted: ms of stages that settled nothing, per image offered.\n";
}

std::string crowd_table(const std::vector<CrowdFigures>& crowds) {
  std::string out = fmt::format("{:<16}{:>12}{:>12}{:>12}{:>14}{:>12}\n", "p99 of a second",
                                "before", "during", "after", "as before in", "answered");
  for (const CrowdFigures& crowd : crowds) {
    out += fmt::format("{:<16}{:>9.0f} ms{:>9.0f} ms{:>9.0f} ms{:>14}{:>10.1f} %\n", crowd.policy,
                       in_ms(crowd.before_s), in_ms(crowd.during_s), in_ms(crowd.after_s),
                       crowd.recovery_s ? fmt::format("{:.0f} s", *crowd.recovery_s) : "never",
                       100 * crowd.answered);
  }
  return out +
         "The highest of the seconds before, during and after the highest load;\n"
         "answered: of the images offered during it.\n";
}

std::string group_table(const std::vector<ProducerFigures>& groups) {
  std::string out =
      fmt::format("{:<18}{:<14}{:>6}{:>9}{:>8}{:>8}{:>6}{:>6}{:>5}\n", "policy", "producers",
                  "load", "answered", "refused", "missing", "p50", "p99", "x");
  for (const ProducerFigures& one : groups) {
    std::string ratio;
    for (const ProducerFigures& other : groups) {
      const bool same = other.policy == one.policy && other.producer == one.producer &&
                        other.collages == one.collages;
      if (same && other.alone && !one.alone && other.p99_s > 0) {
        ratio = fmt::format("{:.2f}", one.p99_s / other.p99_s);
      }
    }
    const std::string name =
        one.collages == 0 ? one.policy : fmt::format("{}, {}", one.policy, one.collages);
    out += fmt::format("{:<18}{:<14}{:>6.0f}{:>9.2f}{:>8.2f}{:>8.2f}{:>6.0f}{:>6.0f}{:>5}\n", name,
                       one.producer + (one.alone ? " alone" : ""), one.load, 100 * one.answered,
                       100 * one.refused, 100 * one.missing, in_ms(one.p50_s), in_ms(one.p99_s),
                       ratio);
  }
  return out + "x: p99 relative to that of the same producers alone.\n";
}

}  // namespace replay::report
