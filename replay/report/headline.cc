#include "replay/report/headline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "replay/report/statistics.h"

namespace replay::report {
namespace {

constexpr std::size_t kBarsMax = 3;
// Whose run it is: the first of these that ran.
constexpr std::array<std::string_view, 6> kOurs = {"collage",       "collage-hedge", "collage-two",
                                                   "collage-first", "brownout",      "hedge"};
// What it is compared with, the best known first.
constexpr std::array<std::string_view, 4> kBaselines = {"hedge", "none", "duplicate", "refuse"};

bool counts_batches(const Summary& summary) {
  return std::ranges::any_of(summary.policies,
                             [](const PolicyRun& run) { return run.per_batch.count > 0; });
}

bool answers_all(const PolicyRun& run) { return run.unanswered == 0; }

// Whose latency the figures are.
std::string timed(const Summary& summary, bool batches) {
  if (batches) return "a batch";
  return std::ranges::all_of(summary.policies, answers_all) ? "an image" : "an answered image";
}

// "collage" of "collage, demo-live", which is how a comparison names the policy of a run.
std::string policy_of(const std::string& name) { return name.substr(0, name.find(", ")); }

std::string run_of(const std::string& name) {
  const std::size_t comma = name.find(", ");
  return comma == std::string::npos ? "" : name.substr(comma + 2);
}

// The place of a name in a list, its size if it is not there.
template <std::size_t N>
std::size_t rank(const std::array<std::string_view, N>& names, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

std::string in_words(double seconds) { return fmt::format("{:.0f} ms", in_ms(seconds)); }

// "answers 99 % of images within 242 ms", and how many it answers at all if that is not all.
std::string answers(const PolicyRun& run, bool batches, const std::string& within) {
  if (answers_all(run)) {
    return fmt::format("answers 99 % of {} within {}", batches ? "batches" : "images", within);
  }
  if (run.answered() == 0) return "answers no image";
  return fmt::format("answers {} of images{} within {}", answered_share(run),
                     batches ? " and ends 99 % of batches" : ", 99 % of these", within);
}

// "a, b and c"
std::string listed(const std::vector<std::string>& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += i + 1 == parts.size() ? " and " : ", ";
    out += parts[i];
  }
  return out;
}

// "0.57 of hedge's 426 ms", "1.20 times none's 200 ms (44.17 % answered)"
std::string relative(double ours, double others, const PolicyRun& run) {
  const std::string than =
      fmt::format("{}'s {}{}", run.name, in_words(others),
                  answers_all(run) ? "" : fmt::format(" ({} answered)", answered_share(run)));
  if (others <= 0) return than;
  const double ratio = ours / others;
  return fmt::format("{:.2f} {} {}", ratio, ratio > 1 ? "times" : "of", than);
}

// A value to draw: its bar's label, its number, and the words for it.
struct Item {
  std::string label;
  double value = 0;
  std::string words;
  bool ours = false;
};

// Lengths are relative to `whole`, or to the longest if that is 0.
std::vector<Bar> bars_of(const std::vector<Item>& items, double whole = 0) {
  for (const Item& item : items) whole = std::max(whole, item.value);
  std::vector<Bar> bars;
  for (const Item& item : items) {
    bars.push_back({item.label, whole > 0 ? item.value / whole : 0, item.words, item.ours});
  }
  return bars;
}

// --- policies ---

struct Policies {
  const PolicyRun* ours = nullptr;
  std::vector<const PolicyRun*> others;  // The worst known first, at most two.
};

Policies chosen(const Summary& summary) {
  std::vector<const PolicyRun*> all;
  for (const PolicyRun& run : summary.policies) all.push_back(&run);
  const auto ours = std::ranges::min_element(all, {}, [](const PolicyRun* run) {
    return rank(kOurs, run->name) + (run->name == "none" ? 1 : 0);
  });
  Policies out{.ours = *ours, .others = {}};
  all.erase(ours);
  std::ranges::stable_sort(all, {},
                           [](const PolicyRun* run) { return rank(kBaselines, run->name); });
  if (all.size() > kBarsMax - 1) all.resize(kBarsMax - 1);
  out.others.assign(all.rbegin(), all.rend());
  return out;
}

std::string cost(const PolicyRun& ours, const std::vector<const PolicyRun*>& others) {
  std::string out = fmt::format(", for {:.1f} % extra work", 100 * ours.extra_work);
  if (!ours.has_accuracy()) return out;
  out += fmt::format(" and with {:.2f} % right answers", 100 * ours.accuracy);
  for (const PolicyRun* other : others) {
    if (other->name == "none" && other->has_accuracy())
      out += fmt::format(" ({:.2f} % without)", 100 * other->accuracy);
  }
  return out;
}

Headline of_policies(const Summary& summary) {
  const bool batches = counts_batches(summary);
  const auto figures = [batches](const PolicyRun& run) -> const Distribution& {
    return batches ? run.per_batch : run.per_request;
  };
  const auto [ours, others] = chosen(summary);
  const Distribution& d = figures(*ours);
  Headline out;
  std::vector<std::string> than;
  std::vector<Item> items;
  for (const PolicyRun* other : others) {
    const double p99 = figures(*other).p99_s;
    items.push_back({other->name, p99, in_words(p99)});
    than.insert(than.begin(), relative(d.p99_s, p99, *other));
  }
  if (d.count == 0) than.clear();
  if (others.empty()) {
    items = {{"p50", d.p50_s, in_words(d.p50_s)}, {"p95", d.p95_s, in_words(d.p95_s)}};
  }
  items.push_back({others.empty() ? "p99" : ours->name, d.p99_s, in_words(d.p99_s), true});
  out.measure =
      fmt::format("{} of {}", others.empty() ? "Latency" : "p99", timed(summary, batches));
  out.bars = bars_of(items);
  out.sentence =
      fmt::format("{}olicy {} {}{}{}{}.", summary.mode == "sim" ? "In virtual time, p" : "P",
                  ours->name, answers(*ours, batches, in_words(d.p99_s)), than.empty() ? "" : ", ",
                  listed(than), cost(*ours, others));
  return out;
}

// --- comparisons ---

// The same policy in up to three of the runs.
Headline of_comparison(const Summary& summary) {
  const bool batches = counts_batches(summary);
  const auto count = [&](const std::string& policy) {
    return std::ranges::count(summary.policies, policy,
                              [](const PolicyRun& run) { return policy_of(run.name); });
  };
  std::string policy = policy_of(summary.policies.front().name);
  for (const PolicyRun& run : summary.policies) {
    const std::string name = policy_of(run.name);
    if (count(name) > count(policy) ||
        (count(name) == count(policy) && rank(kOurs, name) < rank(kOurs, policy))) {
      policy = name;
    }
  }
  std::vector<Item> items;
  std::vector<std::string> parts;
  bool all = true;
  for (const PolicyRun& run : summary.policies) {
    if (policy_of(run.name) != policy || items.size() == kBarsMax) continue;
    const double p99 = batches ? run.per_batch.p99_s : run.per_request.p99_s;
    items.push_back({run_of(run.name), p99, in_words(p99), true});
    all = all && answers_all(run);
    parts.push_back(
        fmt::format("{} in {}{}", in_words(p99), run_of(run.name),
                    answers_all(run) ? "" : fmt::format(" ({} answered)", answered_share(run))));
  }
  const char* does = all       ? (batches ? "answers 99 % of batches" : "answers 99 % of images")
                     : batches ? "ends 99 % of batches"
                               : "gives 99 % of its answers";
  return {.sentence = fmt::format("Policy {} {} within {}.", policy, does, listed(parts)),
          .measure = fmt::format("p99 of {}, policy {}", timed(summary, batches), policy),
          .bars = bars_of(items)};
}

// --- sweeps ---

std::string name_of(const LoadPoint& point) {
  return point.collages > 0 ? fmt::format("{} ({})", point.policy, point.collages) : point.policy;
}

// One point for each policy at the highest load: that of the most collage stages.
std::vector<const LoadPoint*> highest(const std::vector<LoadPoint>& load) {
  const double rate = std::ranges::max(load, {}, &LoadPoint::per_second).per_second;
  std::vector<const LoadPoint*> points;
  for (const LoadPoint& point : load) {
    if (point.per_second < rate) continue;
    const auto same = std::ranges::find(points, point.policy, &LoadPoint::policy);
    if (same == points.end()) {
      points.push_back(&point);
    } else if (point.collages > (*same)->collages) {
      *same = &point;
    }
  }
  // Worst first, so that the sentence is about the last.
  std::ranges::stable_sort(points, {}, &LoadPoint::answered);
  if (points.size() > kBarsMax) points.erase(points.begin() + 1, points.end() - (kBarsMax - 1));
  return points;
}

Headline of_load(const Summary& summary) {
  const std::vector<const LoadPoint*> points = highest(summary.load);
  const LoadPoint& best = *points.back();
  std::vector<Item> items;
  std::vector<std::string> others;
  for (const LoadPoint* point : points) {
    const std::string share = fmt::format("{:.0f} %", 100 * point->answered);
    items.push_back({name_of(*point), point->answered, share, point == &best});
    if (point != &best) others.push_back(name_of(*point) + " " + share);
  }
  return {.sentence = fmt::format("{}f {:.0f} images a second, {} answers {:.0f} %{}{}.",
                                  summary.mode == "sim" ? "In virtual time, o" : "O",
                                  best.per_second, name_of(best), 100 * best.answered,
                                  others.empty() ? "" : "; ", listed(others)),
          .measure = fmt::format("Answered of {:.0f} images a second", best.per_second),
          .bars = bars_of(items, 1)};
}

}  // namespace

Headline headline(const Summary& summary) {
  if (!summary.load.empty()) return of_load(summary);
  if (summary.policies.empty()) return {};
  return summary.mode == "compare" ? of_comparison(summary) : of_policies(summary);
}

}  // namespace replay::report
