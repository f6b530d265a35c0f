#include "replay/report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "replay/report/load_json.h"

#include "replay/report/statistics.h"

namespace replay::report {
namespace {

nlohmann::ordered_json json_of(const Distribution& d) {
  return {{"count", d.count},
          {"mean_s", d.mean_s},
          {"sd_s", d.sd_s},
          {"p50_s", d.p50_s},
          {"p95_s", d.p95_s},
          {"p99_s", d.p99_s},
          {"p99_ci_s", {d.p99_low_s, d.p99_high_s}},
          {"p999_s", d.p999_s}};
}

nlohmann::ordered_json json_of(const PolicyRun& run) {
  return {{"name", run.name},
          {"images", run.images()},
          {"answered", run.answered()},
          {"per_batch", json_of(run.per_batch)},
          {"per_request", json_of(run.per_request)},
          {"sim_p99_s", run.sim_p99_s},
          {"accuracy", run.accuracy},
          {"collage_share", run.collage_share},
          {"collage_accuracy", run.collage_accuracy},
          {"extra_work", run.extra_work},
          {"violations", run.violations},
          {"seconds", run.seconds}};
}

std::string simulation_row(const std::string& name, const Distribution& d,
                           const std::string& simulated) {
  return fmt::format("{:<13}{:>5.0f}{:>6.0f}{:>6.0f}{:>6.0f}{:>6.0f} {:>13}{:>7.0f}{:>10}\n", name,
                     in_ms(d.mean_s), in_ms(d.sd_s), in_ms(d.p50_s), in_ms(d.p95_s), in_ms(d.p99_s),
                     fmt::format("[{:.0f}, {:.0f}]", in_ms(d.p99_low_s), in_ms(d.p99_high_s)),
                     in_ms(d.p999_s), simulated);
}

std::string accuracy(double share, const PolicyRun& run) {
  return run.has_accuracy() ? fmt::format("{:.2f} %", 100 * share) : "-";
}

std::string heading(const std::string& what) {
  return fmt::format("{:<13}{:>5}{:>6}{:>6}{:>6}{:>6} {:>13}{:>7}{:>10}\n", what, "mean", "sd",
                     "p50", "p95", "p99", "95 % of p99", "p99.9", "sim p99");
}

void csv_row(std::string& out, const PolicyRun& run, const char* scope, const Distribution& d) {
  if (d.count == 0) return;
  out += fmt::format("{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},", run.name,
                     scope, d.count, d.mean_s, d.sd_s, d.p50_s, d.p95_s, d.p99_s, d.p99_low_s,
                     d.p99_high_s, d.p999_s);
  if (run.has_accuracy()) out += fmt::format("{:.6f}", run.accuracy);
  out += fmt::format(",{:.6f},{:.6f},{},{:.6f}\n", run.collage_share, run.extra_work,
                     run.violations, run.answered());
}

// The figures of policies, which a sweep does not have.
std::string policies_table(const Summary& summary) {
  const bool batches = std::ranges::any_of(
      summary.policies, [](const PolicyRun& run) { return run.per_batch.count > 0; });
  std::string out = batches ? heading("batch, ms") : "";  // An open loop has none.
  for (const PolicyRun& run : summary.policies) {
    if (!batches) break;
    out += simulation_row(run.name, run.per_batch,
                          run.sim_p99_s > 0 ? fmt::format("{:.0f}", in_ms(run.sim_p99_s)) : "-");
  }
  if (batches) out += "\n";
  out += heading("image, ms");
  for (const PolicyRun& run : summary.policies)
    out += simulation_row(run.name, run.per_request, "");
  out += fmt::format("\n{:<13}{:>10}{:>14}{:>16}{:>12}{:>12}\n", "", "accuracy", "from collage",
                     "their accuracy", "extra work", "violations");
  for (const PolicyRun& run : summary.policies) {
    out += fmt::format("{:<13}{:>10}{:>12.2f} %{:>16}{:>10.1f} %{:>12}\n", run.name,
                       accuracy(run.accuracy, run), 100 * run.collage_share,
                       run.collage > 0 ? accuracy(run.collage_accuracy, run) : "-",
                       100 * run.extra_work, run.violations);
  }
  for (const PolicyRun& run : summary.policies) {
    if (run.unanswered == 0) continue;
    out += fmt::format("{}: {} of the images answered; times of images are of these\n", run.name,
                       answered_share(run));
  }
  return out;
}

}  // namespace

double PolicyRun::answered() const {
  return images() == 0 ? 1
                       : static_cast<double>(images() - unanswered) / static_cast<double>(images());
}

std::string answered_share(const PolicyRun& run) {
  if (run.images() == 0) return "100.00 %";
  // In whole numbers, for 0.57 x 10,000 is less than 5,700.
  const std::uint64_t hundredths = (run.images() - run.unanswered) * 10'000 / run.images();
  return fmt::format("{}.{:02} %", hundredths / 100, hundredths % 100);
}

void attach_simulated(Summary& live, const Summary& simulated) {
  for (PolicyRun& run : live.policies) {
    const auto other = std::ranges::find(simulated.policies, run.name, &PolicyRun::name);
    if (other == simulated.policies.end()) continue;
    run.simulated = other->per_batch;
    run.sim_p99_s = other->per_batch.p99_s;
    run.simulated_batch_s = other->batch_s;
  }
}

std::string to_csv(const Summary& summary) {
  std::string out =
      "policy,scope,count,mean_s,sd_s,p50_s,p95_s,p99_s,p99_low_s,p99_high_s,p999_s,accuracy,"
      "collage_share,extra_work,violations,answered\n";
  for (const PolicyRun& run : summary.policies) {
    csv_row(out, run, "batch", run.per_batch);
    csv_row(out, run, "image", run.per_request);
  }
  return out;
}

std::string to_json(const Summary& summary) {
  nlohmann::ordered_json out = {{"scenario", summary.scenario},
                                {"mode", summary.mode},
                                {"seed", summary.seed},
                                {"commit", summary.commit}};
  out["policies"] = nlohmann::ordered_json::array();
  for (const PolicyRun& run : summary.policies) out["policies"].push_back(json_of(run));
  add_load(out, summary);
  return out.dump(2) + "\n";
}

std::string to_table(const Summary& summary) {
  std::string out;
  if (!summary.policies.empty()) out += policies_table(summary);
  for (const std::string& table :
       {summary.load.empty() ? "" : load_table(summary.load),
        summary.seconds.empty() ? "" : crowd_table(crowds_of(summary.seconds)),
        summary.groups.empty() ? "" : group_table(summary.groups)}) {
    if (!table.empty()) out += (out.empty() ? "" : "\n") + table;
  }
  return out;
}

}  // namespace replay::report
