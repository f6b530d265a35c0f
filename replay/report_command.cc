// Reports of runs that have ended: made again from what they wrote, or side by side.
#include <cstdio>
#include <set>

#include "models/research/atomic_file.h"
#include "replay/commands.h"
#include "replay/report/comparison.h"
#include "replay/report/join.h"
#include "replay/report/page.h"
#include "replay/report/run_file.h"
#include "replay/run_folder_command.h"
#include "runtime/config/config_error.h"

namespace replay {
namespace {

namespace fs = std::filesystem;

// The simulated run of the same scenario, which a live report shows beside its own.
fs::path simulated_of(const fs::path& folder) {
  constexpr std::string_view kLive = "-live";
  const std::string name = folder.filename().string();
  if (!name.ends_with(kLive)) return folder / "sim";
  return folder.parent_path() / (name.substr(0, name.size() - kLive.size()) + "-sim");
}

// Folders by their last names, or by all of the path where these are alike.
std::vector<report::Compared> read_all(const std::vector<fs::path>& folders) {
  std::set<std::string> names;
  for (const fs::path& folder : folders) names.insert(folder.filename().string());
  const bool telling = names.size() == folders.size();
  std::vector<report::Compared> runs;
  for (const fs::path& folder : folders) {
    runs.push_back(
        {telling ? folder.filename().string() : folder.string(), report::read_run(folder)});
  }
  return runs;
}

// Absolute and without a slash at its end, so that it has a last name.
fs::path plain(const fs::path& folder) {
  const fs::path normal = fs::absolute(folder).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// What one command measured, live and simulated.
bool together(const report::Summary& live, const report::Summary& simulated) {
  return live.command == simulated.command && live.commit == simulated.commit;
}

}  // namespace

int run_report(const ReportOptions& options) {
  const fs::path folder = plain(options.folder);
  report::Summary summary = report::read_run(folder);
  const fs::path beside = simulated_of(folder);
  if (summary.mode == "live" && fs::exists(beside / "run.json")) {
    const report::Summary simulated = report::read_run(beside);
    if (together(summary, simulated)) {
      set_beside(summary, simulated);
    } else {
      std::fprintf(stderr, "%s is of another run and left out\n", beside.c_str());
    }
  }
  write_report(folder, summary);
  print_report(folder, summary);
  return 0;
}

int run_compare(const CompareOptions& options) {
  std::vector<fs::path> folders;
  for (const fs::path& folder : options.folders) folders.push_back(plain(folder));
  if (folders.size() < 2) throw runtime::ConfigError("compare: want two folders at least");
  const std::vector<report::Compared> runs = read_all(folders);
  models::write_text(options.page, report::to_html(merged(runs)));
  std::printf("%s\n* the 95 %% intervals of p99 do not overlap\n%s\n",
              report::comparison_table(runs).c_str(), options.page.c_str());
  return 0;
}

int run_join(const JoinOptions& options) {
  std::vector<fs::path> folders;
  for (const fs::path& folder : options.folders) folders.push_back(plain(folder));
  const fs::path out = plain(options.out);
  const report::Summary summary = report::join(folders, out);
  write_run(out, summary);
  print_report(out, summary);
  return 0;
}

}  // namespace replay
