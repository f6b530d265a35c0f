// The progress of a training run: a line an epoch, the time left, a CSV log and a curve.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "models/research/commands/time_left.h"
#include "models/research/training/recipes.h"
#include "models/research/training/trainer.h"

namespace models {

class Progress {
 public:
  // Appends to folder/log.csv and rewrites folder/curve.svg after each epoch.  Requires the
  // folder, which the checkpoint of the first epoch makes.  `cached`: the teacher's answers are
  // kept.
  Progress(std::filesystem::path folder, std::string title, const Recipe& recipe, bool cached);
  // To hand to train(); borrows this.
  Hooks hooks();

 private:
  void on_epoch(const EpochReport& report);
  void on_progress(int epoch, double share);

  std::filesystem::path folder_;
  std::string title_;
  int epochs_;
  TimeLeft left_;
};

// A count that rises on a terminal, "1200 of 5000 pictures read"; elsewhere nothing is shown.
class CountLine {
 public:
  explicit CountLine(std::string what) : what_(std::move(what)) {}
  ~CountLine();  // Clears the line.
  CountLine(const CountLine&) = delete;
  CountLine& operator=(const CountLine&) = delete;

  // A few times a second at most.  `whole` 0: it is not known; when all is done the line goes.
  void show(std::size_t done, std::size_t whole = 0);

 private:
  void clear();

  std::string what_;
  double next_ = 0;  // When it may be shown again, seconds_now().
  bool shown_ = false;
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
