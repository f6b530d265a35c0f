#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/checkpoint.h"
#include "models/commands.h"
#include "models/config.h"
#include "models/run_options.h"
#include "models/script.h"
#include "models/sha256.h"
#include "models/trainer.h"

namespace models {
namespace {

struct TrainOptions {
  RunOptions run;
  std::optional<int> epochs;
  std::uint64_t seed = 1;
  int threads = 2;
  std::filesystem::path teacher = "models/fashion_single.yaml";
  std::string command_line;
};

Teacher load_teacher(const std::filesystem::path& file, const Dataset& data) {
  const Manifest manifest = load_manifest(file);
  if (manifest.kind != Kind::single || manifest.tile != data.shape ||
      manifest.class_names != data.class_names) {
    throw std::runtime_error(file.string() + ": is no single-image model of this data set");
  }
  if (sha256_of(manifest.weights) != manifest.sha256) {
    throw std::runtime_error(manifest.weights.string() + ": is not what its manifest says");
  }
  torch::jit::Module script = torch::jit::freeze(load_script(manifest.weights));
  return
      [script](const torch::Tensor& tiles) mutable { return script.forward({tiles}).toTensor(); };
}

// One CSV row an epoch, and on a terminal a line with the time left.
class Progress {
 public:
  explicit Progress(const std::filesystem::path& folder, int epochs)
      : epochs_(epochs), start_(seconds_now()) {
    std::filesystem::create_directories(folder);
    const std::filesystem::path file = folder / "log.csv";
    const bool fresh = !std::filesystem::exists(file);
    csv_.open(file, std::ios::app);
    if (fresh) csv_ << "epoch,loss,learning_rate,held_back_accuracy,best_accuracy,seconds\n";
  }

  void on_epoch(const EpochReport& r) {
    csv_ << r.epoch << ',' << r.loss << ',' << r.learning_rate << ',' << r.held_back_accuracy << ','
         << r.best_accuracy << ',' << r.seconds << std::endl;
    std::printf("%sepoch %d of %d: loss %.4f, held back %.2f %%, best %.2f %%, %.0f s\n",
                isatty(STDOUT_FILENO) ? "\r\033[K" : "", r.epoch, r.epochs, r.loss,
                100 * r.held_back_accuracy, 100 * r.best_accuracy, r.seconds);
    std::fflush(stdout);
  }

  void on_progress(int epoch, double share) {
    if (!isatty(STDOUT_FILENO)) return;
    const double done = epoch - 1 + share;
    if (!first_) first_ = done;
    const double left =
        done <= *first_ ? 0 : (seconds_now() - start_) / (done - *first_) * (epochs_ - done) / 60;
    std::printf("\r\033[Kepoch %d of %d, %.0f %%, %.0f min left", epoch, epochs_, 100 * share,
                left);
    std::fflush(stdout);
  }

 private:
  int epochs_;
  double start_;
  std::optional<double> first_;  // Epochs that were done when this process began.
  std::ofstream csv_;
};

void write_run(const TrainOptions& options, double held_back_accuracy) {
  const nlohmann::ordered_json run = {{"command", options.command_line},
                                      {"seed", options.seed},
                                      {"threads", options.threads},
                                      {"held_back_accuracy", held_back_accuracy}};
  write_by_rename(options.run.run_folder() / "run.json", [&](const std::string& part) {
    std::ofstream out(part);
    out << run.dump(2) << "\n";
    if (!out.flush()) throw std::runtime_error(part + ": cannot be written");
  });
}

void run_train(const TrainOptions& options) {
  at::set_num_threads(options.threads);
  const Dataset all = load_fashion_mnist(options.run.data, Part::train);
  const auto [data, held_back] = hold_back(all, kHeldBack);
  const bool single = options.run.kind() == Kind::single;
  Recipe recipe = single ? single_recipe() : collage_recipe();
  recipe.seed = options.seed;
  if (options.epochs) recipe.epochs = *options.epochs;
  const Teacher teacher = single ? Teacher() : load_teacher(options.teacher, data);
  const Architecture architecture = options.run.architecture(data);
  std::printf("%s: %.1f MMAC, %lld parameters, run folder %s\n", architecture.name.c_str(),
              mmac(architecture), static_cast<long long>(parameter_count(architecture)),
              options.run.run_folder().c_str());
  GridNet net(architecture, recipe.seed);
  Progress progress(options.run.run_folder(), recipe.epochs);
  const Hooks hooks{
      .seconds = seconds_now,
      .on_epoch = [&](const EpochReport& r) { progress.on_epoch(r); },
      .on_progress = [&](int epoch, double share) { progress.on_progress(epoch, share); }};
  const double best = train(net, data, held_back, recipe, teacher, options.run.run_folder(), hooks);
  write_run(options, best);
  std::printf("done: %.2f %% on the held-back part\n", 100 * best);
}

}  // namespace

void add_train_command(CLI::App& app, const std::string& command_line) {
  auto options = std::make_shared<TrainOptions>();
  options->command_line = command_line;
  CLI::App* verb = app.add_subcommand(
      "train", "Train on Fashion-MNIST; an interrupted run goes on where it stood");
  add_run_options(*verb, options->run);
  verb->add_option("--epochs", options->epochs, "Passes over the training images")
      ->check(CLI::Range(1, 100000));
  verb->add_option("--seed", options->seed, "Chooses weights, changes and tilings")
      ->capture_default_str();
  verb->add_option("--threads", options->threads, "Threads; a seed repeats for one count only")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("--teacher", options->teacher, "Manifest of the s-CNN that teaches a collage")
      ->capture_default_str();
  verb->callback([options] { run_train(*options); });
}

}  // namespace models
