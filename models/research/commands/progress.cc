#include "models/research/commands/progress.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/research/atomic_file.h"
#include "models/research/commands/curve.h"
#include "models/research/commands/run_options.h"

namespace models {
Progress::Progress(std::filesystem::path folder, std::string title, const Recipe& recipe,
                   bool cached)
    : folder_(std::move(folder)),
      title_(std::move(title)),
      epochs_(recipe.descent.epochs),
      left_({.epochs = recipe.descent.epochs,
             .tile_epochs = recipe.tiles.pool.tile_epochs,
             .rotation = cached ? recipe.tiles.pool.rotation : 0},
            seconds_now()) {}

Hooks Progress::hooks() {
  return {.seconds = seconds_now,
          .on_epoch = [this](const EpochReport& report) { on_epoch(report); },
          .on_progress = [this](int epoch, double share) { on_progress(epoch, share); }};
}

void Progress::on_epoch(const EpochReport& r) {
  const std::filesystem::path file = folder_ / "log.csv";
  const bool fresh = !std::filesystem::exists(file);
  std::ofstream csv(file, std::ios::app);
  if (fresh) csv << kLogHeader << "\n";
  csv << r.epoch << ',' << r.loss << ',' << r.learning_rate << ',' << r.held_back << ',' << r.best
      << ',' << r.seconds << std::endl;
  write_text(folder_ / "curve.svg", curve_svg(read_log(file), title_));
  std::printf("%sepoch %d of %d: loss %.4f, held back %.2f %%, best %.2f %%, %.0f s\n",
              isatty(STDOUT_FILENO) ? "\r\033[K" : "", r.epoch, r.epochs, r.loss, 100 * r.held_back,
              100 * r.best, r.seconds);
  std::fflush(stdout);
}

void Progress::on_progress(int epoch, double share) {
  if (!isatty(STDOUT_FILENO)) return;
  left_.on_progress(epoch, share, seconds_now());
  std::printf("\r\033[Kepoch %d of %d, %.0f %%", epoch, epochs_, 100 * share);
  if (const auto seconds = left_.seconds()) std::printf(", %.0f min left", *seconds / 60);
  std::fflush(stdout);
}

CountLine::~CountLine() { clear(); }

void CountLine::clear() {
  if (!shown_) return;
  shown_ = false;
  std::printf("\r\033[K");
  std::fflush(stdout);
}

void CountLine::show(std::size_t done, std::size_t whole) {
  constexpr double kSecondsBetween = 0.2;
  if (whole > 0 && done >= whole) {
    clear();
    return;
  }
  const double now = seconds_now();
  if (now < next_ || !isatty(STDOUT_FILENO)) return;
  next_ = now + kSecondsBetween;
  shown_ = true;
  std::printf("\r\033[K%zu ", done);
  if (whole > 0) std::printf("of %zu ", whole);
  std::printf("%s", what_.c_str());
  std::fflush(stdout);
}

void write_record(const std::filesystem::path& folder, const RunRecord& record) {
  const nlohmann::ordered_json run = {{"command", record.command},
                                      {"seed", record.seed},
                                      {"threads", record.threads},
                                      {"held_back_accuracy", record.held_back_accuracy}};
  write_text(folder / "run.json", run.dump(2) + "\n");
}

RunRecord read_record(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "run.json";
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file.string() + ": missing; has the training run finished?");
  const auto run = nlohmann::json::parse(in, nullptr, false);
  if (run.is_discarded()) throw std::runtime_error(file.string() + ": is not JSON");
  return {.command = run.value("command", "unknown"),
          .seed = run.value("seed", std::uint64_t{0}),
          .threads = run.value("threads", 0),
          .held_back_accuracy = run.value("held_back_accuracy", 0.0)};
}

}  // namespace models
