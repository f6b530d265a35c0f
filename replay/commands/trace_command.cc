// collage-replay trace: the trace of a request from the logs of its pipeline.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "replay/commands/commands.h"
#include "replay/report/trace.h"
#include "runtime/config/config_error.h"

namespace replay {
namespace {

struct TraceOptions {
  std::uint64_t request = 0;
  std::string producer;                     // Begin of the producer's short name; empty: any.
  std::vector<std::filesystem::path> logs;  // Files, folders, or `-` for standard input.
};

void read_file(const std::filesystem::path& file, std::vector<report::TraceEvent>& events) {
  std::ifstream in(file);
  if (!in) throw runtime::ConfigError(file.string() + ": cannot be read");
  for (report::TraceEvent& event : report::read_trace_events(in))
    events.push_back(std::move(event));
}

int run_trace(const TraceOptions& options) {
  std::vector<report::TraceEvent> events;
  for (const std::filesystem::path& path : options.logs) {
    if (path == "-") {
      for (report::TraceEvent& event : report::read_trace_events(std::cin)) {
        events.push_back(std::move(event));
      }
    } else if (std::filesystem::is_directory(path)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        if (entry.is_regular_file()) read_file(entry.path(), events);
      }
    } else {
      read_file(path, events);
    }
  }
  if (events.empty()) {
    throw runtime::ConfigError(
        "these logs have no events of requests; `log: requests: true` in pipeline.yaml and "
        "log.level at most info have them logged");
  }
  const auto found = report::traces(events, options.request, options.producer);
  if (found.empty()) {
    std::fprintf(stderr, "no broker admitted a request %llu%s\n",
                 static_cast<unsigned long long>(options.request),
                 options.producer.empty() ? "" : (" of producer " + options.producer).c_str());
    return 1;
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::printf("%s%s", i == 0 ? "" : "\n", report::trace_text(found[i]).c_str());
  }
  return 0;
}

void add_trace(CLI::App& verb, Verbs& verbs) {
  auto options = std::make_shared<TraceOptions>();
  verb.add_option("request", options->request, "Number of the request at its producer.")
      ->required();
  verb.add_option("logs", options->logs, "Log files, folders of them, or - for standard input.")
      ->required();
  verb.add_option("--producer", options->producer, "How the name of its producer begins.");
  verbs.push_back({&verb, [options] { return run_trace(*options); }});
}

}  // namespace

void add_trace_command(CLI::App& app, Verbs& verbs) {
  const std::string help =
      "Shows the trace of one request across the processes that logged it.\n\n"
      "  collage-replay trace 42 out/pipeline\n"
      "  journalctl -o cat -u 'collage-*' | collage-replay trace 42 -";
  add_trace(*app.add_subcommand("trace", help), verbs);
  // The verb's former name, for scripts; a group without a name is not shown by --help.
  add_trace(*app.add_subcommand("life", help)->group(""), verbs);
}

}  // namespace replay
