// A scenario live, under one policy: a fleet of processes is started, driven, and stopped.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "replay/live/fleet.h"
#include "replay/load/driver.h"
#include "replay/load/scenario.h"
#include "replay/load/work.h"
#include "runtime/signals.h"

namespace replay::live {

struct ExperimentOptions {
  std::filesystem::path pipeline;                            // The file that the fleet's is like,
  std::vector<std::pair<std::string, std::string>> changes;  // but for these keys and its ports.
  Fleet::Size size;
  load::Driver::Options driver;
  std::vector<load::Fault> faults{};
  std::filesystem::path folder;  // For the pipeline file as run, and the logs.
};

struct Experiment {
  load::WorkDone work;
  std::vector<std::string> violations;
  double seconds = 0;
  bool interrupted = false;
};

// Throws std::runtime_error if the fleet does not come up or falls, with the last words of the
// process at fault.
Experiment run_experiment(const ExperimentOptions& options, runtime::Signals& signals,
                          load::Driver::Listener listener);

}  // namespace replay::live
