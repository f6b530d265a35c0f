// A scenario live, under one policy: a fleet of processes is started, driven, and stopped; or one
// that is up already is driven.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "replay/live/fleet.h"
#include "replay/load/driver.h"
#include "replay/load/scenario.h"
#include "replay/load/work.h"
#include "runtime/loop/signals.h"

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

// The same of a pipeline that is up, wherever its processes are; `pipeline` is its file.  Faults
// are none of its business.  Throws std::runtime_error if the fleet is not as large as the driver
// wants, or stands still, with how large it is.
Experiment run_deployed(const std::filesystem::path& pipeline, const load::Driver::Options& driver,
                        runtime::Signals& signals, load::Driver::Listener listener);

}  // namespace replay::live
