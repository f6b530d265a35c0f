// collage-replay report, compare and join: reports of runs that have ended.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "models/research/atomic_file.h"
#include "replay/commands/commands.h"
#include "replay/commands/run_folder.h"
#include "replay/report/comparison.h"
#include "replay/report/merge_runs.h"
#include "replay/report/page.h"
#include "replay/report/run_file.h"
#include "runtime/config/config_error.h"

namespace replay {
namespace {

namespace fs = std::filesystem;

struct CompareOptions {
  std::vector<fs::path> folders;  // Folders of runs; ratios are to the first.
  fs::path page = "out/replay/compare.html";
};

struct JoinOptions {
  fs::path out;                   // Receives the merged run.
  std::vector<fs::path> folders;  // Folders of runs of one scenario with different policies.
};

// The folder of the same scenario's run in the other way: of the simulated run if the folder is of
// a live or deployed one, of the live run if it is of a simulated one.
fs::path counterpart_of(const fs::path& folder, const std::string& mode) {
  const std::string name = folder.filename().string(), ending = "-" + mode;
  const bool simulated = mode == "sim";
  if (!name.ends_with(ending)) return simulated ? folder.parent_path() : folder / "sim";
  const std::string scenario = name.substr(0, name.size() - ending.size());
  return folder.parent_path() / (scenario + (simulated ? "-live" : "-sim"));
}

// Reads runs and names them by the last parts of their paths, or by whole paths if two of those are
// equal.
std::vector<report::Compared> read_all(const std::vector<fs::path>& folders) {
  std::set<std::string> names;
  for (const fs::path& folder : folders) names.insert(folder.filename().string());
  const bool distinct = names.size() == folders.size();
  std::vector<report::Compared> runs;
  for (const fs::path& folder : folders) {
    runs.push_back(
        {distinct ? folder.filename().string() : folder.string(), report::read_run(folder)});
  }
  return runs;
}

// The folder as an absolute path without a slash at its end, so that it has a last part.
fs::path plain(const fs::path& folder) {
  const fs::path normal = fs::absolute(folder).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// Whether one command has measured both.
bool together(const report::Summary& live, const report::Summary& simulated) {
  return live.command == simulated.command && live.commit == simulated.commit;
}

int run_report(const fs::path& of) {
  const fs::path folder = plain(of);
  report::Summary summary = report::read_run(folder);
  const fs::path other = counterpart_of(folder, summary.mode);
  if (fs::exists(other / "run.json")) {
    const report::Summary counterpart = report::read_run(other);
    if (together(summary, counterpart)) {
      if (summary.mode != "sim") attach_simulated(summary, counterpart);
      summary.see_also = {see_also(folder, other, counterpart)};
    } else {
      std::fprintf(stderr, "%s belongs to another run and is left out\n", other.c_str());
    }
  }
  write_report(folder, summary);
  print_report(folder, summary);
  return 0;
}

int run_compare(const CompareOptions& options) {
  std::vector<fs::path> folders;
  for (const fs::path& folder : options.folders) folders.push_back(plain(folder));
  if (folders.size() < 2) throw runtime::ConfigError("compare: needs at least two folders");
  const std::vector<report::Compared> runs = read_all(folders);
  report::Summary all = merged(runs);
  const fs::path page = plain(options.page).parent_path();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!fs::exists(folders[i] / "report.html")) continue;
    all.see_also.push_back(see_also(page, folders[i], runs[i].summary));
    all.see_also.back().label = runs[i].name;
  }
  models::write_text(options.page, report::to_html(all));
  std::printf("%s\n* the 95 %% intervals of p99 do not overlap\n%s\n",
              report::comparison_table(runs).c_str(), options.page.c_str());
  return 0;
}

int run_join(const JoinOptions& options) {
  std::vector<fs::path> folders;
  for (const fs::path& folder : options.folders) folders.push_back(plain(folder));
  const fs::path out = plain(options.out);
  const report::Summary summary = report::merge_runs(folders, out);
  write_run(out, summary);
  print_report(out, summary);
  return 0;
}

}  // namespace

void add_report_command(CLI::App& app, Verbs& verbs) {
  auto folder = std::make_shared<fs::path>();
  CLI::App* verb =
      app.add_subcommand("report",
                         "Makes the report of a run again from its events.csv.gz and run.json.\n\n"
                         "  collage-replay report out/replay/paper-figure-4-live");
  verb->add_option("folder", *folder, "Folder of the run.")->required();
  verbs.push_back({verb, [folder] { return run_report(*folder); }});
}

void add_compare_command(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* verb = app.add_subcommand(
      "compare",
      "Compares runs: a table, and one page with all their plots.\n\n"
      "  collage-replay compare out/replay/busy-fleet-sim out/replay/paper-figure-4-sim");
  verb->add_option("folders", options->folders, "Folders of the runs; ratios are to the first.")
      ->required();
  verb->add_option("--page", options->page, "File of the page.")->capture_default_str();
  verbs.push_back({verb, [options] { return run_compare(*options); }});
}

void add_join_command(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<JoinOptions>();
  CLI::App* verb = app.add_subcommand(
      "join",
      "Merges several runs of one scenario, each under other policies, into one run with its\n"
      "report.\n\n"
      "  collage-replay join out/policies none/policies-deployed hedge/policies-deployed");
  verb->add_option("out", options->out, "Folder for the merged run.")->required();
  verb->add_option("folders", options->folders, "Folders of the runs.")->required();
  verbs.push_back({verb, [options] { return run_join(*options); }});
}

}  // namespace replay
