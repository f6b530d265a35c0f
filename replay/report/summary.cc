#include "replay/report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace replay::report {
namespace {

nlohmann::ordered_json json(const Distribution& d) {
  return {{"count", d.count},
          {"mean_s", d.mean_s},
          {"sd_s", d.sd_s},
          {"p50_s", d.p50_s},
          {"p95_s", d.p95_s},
          {"p99_s", d.p99_s},
          {"p99_ci_s", {d.p99_low_s, d.p99_high_s}},
          {"p999_s", d.p999_s}};
}

nlohmann::ordered_json json(const PolicyRun& run) {
  return {{"name", run.name},
          {"per_batch", json(run.per_batch)},
          {"per_request", json(run.per_request)},
          {"sim_p99_s", run.sim_p99_s},
          {"accuracy", run.accuracy},
          {"collage_share", run.collage_share},
          {"collage_accuracy", run.collage_accuracy},
          {"extra_work", run.extra_work},
          {"violations", run.violations},
          {"seconds", run.seconds}};
}

double ms(double seconds) { return seconds * 1000; }

std::string row(const std::string& name, const Distribution& d, const std::string& simulated) {
  return fmt::format("{:<13}{:>5.0f}{:>6.0f}{:>6.0f}{:>6.0f}{:>6.0f} {:>13}{:>7.0f}{:>10}\n", name,
                     ms(d.mean_s), ms(d.sd_s), ms(d.p50_s), ms(d.p95_s), ms(d.p99_s),
                     fmt::format("[{:.0f}, {:.0f}]", ms(d.p99_low_s), ms(d.p99_high_s)),
                     ms(d.p999_s), simulated);
}

std::string accuracy(double share, const PolicyRun& run) {
  return run.judged ? fmt::format("{:.2f} %", 100 * share) : "-";
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
  if (run.judged) out += fmt::format("{:.6f}", run.accuracy);
  out += fmt::format(",{:.6f},{:.6f},{}\n", run.collage_share, run.extra_work, run.violations);
}

}  // namespace

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
      "collage_share,extra_work,violations\n";
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
  for (const PolicyRun& run : summary.policies) out["policies"].push_back(json(run));
  return out.dump(2) + "\n";
}

std::string to_table(const Summary& summary) {
  const bool batches = std::ranges::any_of(
      summary.policies, [](const PolicyRun& run) { return run.per_batch.count > 0; });
  std::string out = batches ? heading("batch, ms") : "";  // An open loop has none.
  for (const PolicyRun& run : summary.policies) {
    if (!batches) break;
    out += row(run.name, run.per_batch,
               run.sim_p99_s > 0 ? fmt::format("{:.0f}", ms(run.sim_p99_s)) : "-");
  }
  if (batches) out += "\n";
  out += heading("image, ms");
  for (const PolicyRun& run : summary.policies) out += row(run.name, run.per_request, "");
  out += fmt::format("\n{:<13}{:>10}{:>14}{:>16}{:>12}{:>12}\n", "", "accuracy", "from collage",
                     "their accuracy", "extra work", "violations");
  for (const PolicyRun& run : summary.policies) {
    out += fmt::format("{:<13}{:>10}{:>12.2f} %{:>16}{:>10.1f} %{:>12}\n", run.name,
                       accuracy(run.accuracy, run), 100 * run.collage_share,
                       run.collage > 0 ? accuracy(run.collage_accuracy, run) : "-",
                       100 * run.extra_work, run.violations);
  }
  return out;
}

}  // namespace replay::report
