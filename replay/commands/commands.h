// The verbs of collage-replay.  Each adds itself to the command line and to the list of verbs.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <vector>

namespace replay {

struct Verb {
  const CLI::App* app = nullptr;  // Says whether the user has chosen the verb.
  // Does the work; returns the exit code.  Throws std::exception with one line for the user if it
  // cannot start.
  std::function<int()> run;
};
using Verbs = std::vector<Verb>;

void add_run_command(CLI::App& app, Verbs& verbs);
void add_demo_command(CLI::App& app, Verbs& verbs);
void add_report_command(CLI::App& app, Verbs& verbs);
void add_compare_command(CLI::App& app, Verbs& verbs);
void add_join_command(CLI::App& app, Verbs& verbs);
void add_record_command(CLI::App& app, Verbs& verbs);
void add_sim_command(CLI::App& app, Verbs& verbs);
void add_pipeline_command(CLI::App& app, Verbs& verbs);
void add_trace_command(CLI::App& app, Verbs& verbs);

}  // namespace replay
