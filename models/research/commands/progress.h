// The progress of a training run: a line an epoch, the time left, a CSV log and a curve.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "models/research/training/trainer.h"

namespace models {

class Progress {
 public:
  // Appends to folder/log.csv and rewrites folder/curve.svg after each epoch.  Requires the
  // folder, which the checkpoint of the first epoch makes.
  Progress(std::filesystem::path folder, std::string title, int epochs);
  // To hand to train(); borrows this.
  Hooks hooks();

 private:
  void on_epoch(const EpochReport& report);
  void on_progress(int epoch, double share);

  std::filesystem::path folder_;
  std::string title_;
  int epochs_;
  double start_;
  std::optional<double> first_;  // Epochs that earlier processes had finished.
};

// A finished run, as `export` reads it.
struct RunRecord {
  std::string command;
  std::uint64_t seed = 1;
  int threads = 1;
  double held_back_accuracy = 0;
};
void write_record(const std::filesystem::path& folder, const RunRecord& record);
// Throws std::runtime_error naming the file if the run has not finished.
RunRecord read_record(const std::filesystem::path& folder);

}  // namespace models
