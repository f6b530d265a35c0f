// Runs a scenario on real processes under one policy: on a fleet that is started for the run and
// stopped after it, or on a pipeline that is up already.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "replay/live/fleet.h"
#include "replay/load/load_generator.h"
#include "replay/load/scenario.h"
#include "replay/load/work.h"
#include "runtime/loop/signals.h"

namespace replay::live {

struct ExperimentOptions {
  std::filesystem::path pipeline;  // The pipeline file from which the fleet's is derived.
  // Keys of that file that are replaced, with their values.  The ports are always replaced.
  std::vector<std::pair<std::string, std::string>> changes;
  Fleet::Size size;
  load::LoadGenerator::Options generator;
  std::vector<load::Fault> faults{};
  std::filesystem::path folder;  // Receives the pipeline file of the run and the logs.
};

struct Experiment {
  load::WorkDone work;
  std::vector<std::string> violations;  // Broken promises (violations.h); empty if all is well.
  double seconds = 0;                   // Duration of the run on the wall clock.
  bool interrupted = false;             // A signal ended the run early.
};

// Throws std::runtime_error if the fleet does not become ready or a process of it ends on its own,
// with the last lines of that process's log.  A process that exits while the fleet starts fails the
// run at once; slow ones are waited for (start_watch.h).
Experiment run_experiment(const ExperimentOptions& options, runtime::Signals& signals,
                          load::LoadGenerator::Listener listener);

// The same on a pipeline that is already up, on any hosts; `pipeline` is its file.  Injects no
// faults. Throws std::runtime_error with the size of the fleet if it is smaller than the generator
// requires, or if it stands still.
Experiment run_deployed(const std::filesystem::path& pipeline,
                        load::LoadGenerator::Options generator, runtime::Signals& signals,
                        load::LoadGenerator::Listener listener);

}  // namespace replay::live
