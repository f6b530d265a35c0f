// The life of a request, from logs.
#include <cstdio>
#include <fstream>
#include <iostream>

#include "replay/commands.h"
#include "replay/report/life.h"
#include "runtime/config/config_error.h"

namespace replay {
namespace {

void read_file(const std::filesystem::path& file, std::vector<report::LoggedStep>& steps) {
  std::ifstream in(file);
  if (!in) throw runtime::ConfigError(file.string() + ": cannot be read");
  for (report::LoggedStep& step : report::read_steps(in)) steps.push_back(std::move(step));
}

}  // namespace

int run_life(const LifeOptions& options) {
  std::vector<report::LoggedStep> steps;
  for (const std::filesystem::path& path : options.logs) {
    if (path == "-") {
      for (report::LoggedStep& step : report::read_steps(std::cin)) {
        steps.push_back(std::move(step));
      }
    } else if (std::filesystem::is_directory(path)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        if (entry.is_regular_file()) read_file(entry.path(), steps);
      }
    } else {
      read_file(path, steps);
    }
  }
  if (steps.empty()) {
    throw runtime::ConfigError(
        "these logs have no steps of requests; `log: requests: true` in pipeline.yaml and "
        "log.level at most info have them logged");
  }
  const auto found = report::lives(steps, options.request, options.producer);
  if (found.empty()) {
    std::fprintf(stderr, "no broker admitted a request %llu%s\n",
                 static_cast<unsigned long long>(options.request),
                 options.producer.empty() ? "" : (" of producer " + options.producer).c_str());
    return 1;
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::printf("%s%s", i == 0 ? "" : "\n", report::life_text(found[i]).c_str());
  }
  return 0;
}

}  // namespace replay
