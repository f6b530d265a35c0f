// One policy, live: a fleet is started, batches are pushed through it, and it is stopped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "replay/live/batch_driver.h"
#include "runtime/signals.h"

namespace replay::live {

struct ExperimentOptions {
  std::filesystem::path pipeline;  // The file the fleet is started from.
  std::string policy;              // In place of the file's.
  std::filesystem::path latency;   // A quantile table: answers are held until a draw from it.
  std::uint64_t seed = 1;
  std::size_t warm_up = 12;           // Batches before those that count.
  std::filesystem::path folder;       // For the pipeline file as run, and the logs.
  std::vector<wire::Payload> images;  // Batch after batch; a multiple of grid x grid.
};

struct Experiment {
  std::vector<BatchDriver::Record> records;  // In order of answer.
  std::vector<double> batch_s;
  std::uint64_t hedges = 0, duplicates = 0, collage_inferences = 0;
  std::uint64_t violations = 0;
  double seconds = 0;
  bool interrupted = false;
};

// Throws std::runtime_error if the fleet does not come up or falls, with the last words of the
// process at fault.  `on_batch` is told how many batches are done.
Experiment run_experiment(const ExperimentOptions& options, runtime::Signals& signals,
                          const std::function<void(std::size_t done)>& on_batch);

}  // namespace replay::live
