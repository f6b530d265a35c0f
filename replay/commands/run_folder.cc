#include "replay/commands/run_folder.h"

#include <cstdio>
#include <utility>

#include "models/research/atomic_file.h"
#include "replay/report/page.h"
#include "replay/report/run_file.h"

namespace replay {

void write_run(const std::filesystem::path& folder, const report::Summary& summary) {
  models::write_text(folder / "run.json", report::to_run_file(summary));
  write_report(folder, summary);
}

void write_report(const std::filesystem::path& folder, const report::Summary& summary) {
  models::write_text(folder / "summary.json", report::to_json(summary));
  models::write_text(folder / "summary.csv", report::to_csv(summary));
  models::write_text(folder / "report.html", report::to_html(summary));
}

bool has_results(const report::Summary& summary) {
  return !summary.policies.empty() || !summary.load.empty();
}

report::SeeAlso see_also(const std::filesystem::path& from, const std::filesystem::path& to,
                         const report::Summary& other) {
  std::string label = other.scenario + (other.mode == "sim" ? ", simulated" : ", " + other.mode);
  return {.label = std::move(label),
          .page = (std::filesystem::absolute(to) / "report.html")
                      .lexically_normal()
                      .lexically_relative(std::filesystem::absolute(from).lexically_normal())
                      .generic_string()};
}

void print_report(const std::filesystem::path& folder, const report::Summary& summary) {
  std::printf("\n%s\n%s\n%s\n", report::to_table(summary).c_str(),
              (folder / "summary.json").c_str(), (folder / "report.html").c_str());
}

}  // namespace replay
