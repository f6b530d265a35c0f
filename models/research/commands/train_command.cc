#include <cstdio>

#include "models/research/baselines/parity.h"
#include "models/research/commands/commands.h"
#include "models/research/commands/progress.h"
#include "models/research/commands/run_options.h"
#include "models/research/data/sources.h"
#include "models/research/training/single_teacher.h"
#include "models/research/training/trainer.h"
#include "models/serving/manifest_reader.h"
#include "runtime/service/install_paths.h"

namespace models {
namespace {

struct TrainOptions {
  RunOptions run;
  TrainingOptions training;
  std::filesystem::path teacher;  // Empty: the data set's s-CNN in models/.
  std::string command_line;
};

// The manifest of the s-CNN that teaches; empty for an s-CNN, which learns from labels alone.
std::filesystem::path teacher_file(const TrainOptions& options) {
  if (options.run.model == "single") return {};
  return options.teacher.empty()
             ? runtime::installed_path("models") / (options.run.dataset + "_single.yaml")
             : options.teacher;
}

// What a checkpoint must be of to be taken up: of another teacher, other pictures or another recipe
// it would give a network that its command does not describe.
std::string identity(const TrainOptions& options, const Recipe& recipe, const Dataset& data,
                     const Dataset& held_back) {
  std::string text = options.run.file_stem() + " seed " + std::to_string(options.training.seed) +
                     " " + settings_text(recipe.tiles);
  if (const std::filesystem::path file = teacher_file(options); !file.empty()) {
    text += " s-CNN " + teacher_identity(load_manifest(file));
  }
  return text + " pictures " + digest_of(data) + " " + digest_of(held_back);
}

Teacher teacher_of_run(const TrainOptions& options, const Dataset& data) {
  const std::filesystem::path file = teacher_file(options);
  if (file.empty()) return {};
  const Manifest manifest = load_manifest(file);
  if (manifest.tile != data.shape || manifest.class_names != data.class_names) {
    throw std::runtime_error(file.string() + ": is no model of the data set " + data.name);
  }
  return single_teacher(manifest, "build/train/answers");
}

std::unique_ptr<TrainingTask> task_of_run(const RunOptions& run, const Recipe& recipe,
                                          const Dataset& data, const Dataset& held_back,
                                          const Teacher& teacher) {
  const Pictures pictures{.tiles = &data};
  const Pictures validation{.tiles = &held_back};
  if (run.kind() == Kind::parity) {
    const ParityPolicy policy{.code = parity_code_of(run.parity_code()),
                              .k = run.parity_images(),
                              .batch_images = recipe.tiles.batch_images,
                              .pool = recipe.tiles.pool};
    return std::make_unique<ParityTask>(pictures, validation, policy, teacher);
  }
  return std::make_unique<TileTask>(pictures, validation, run.side(), recipe.tiles, teacher);
}

void run_train(const TrainOptions& options) {
  at::set_num_threads(options.training.threads);
  const RunOptions& run = options.run;
  const Dataset all = load_by_name(run.dataset, Part::train, run.data.folder);
  const auto [data, held_back] = hold_back(all, held_back_images(run.dataset));
  Recipe recipe = run.recipe();
  options.training.apply_to(recipe);
  const Architecture architecture = run.architecture(data);
  std::printf("%s: %.1f MMAC, %lld parameters, run folder %s\n", run.file_stem().c_str(),
              mmac(architecture), static_cast<long long>(parameter_count(architecture)),
              run.run_folder().c_str());
  std::fflush(stdout);
  const std::unique_ptr<TrainingTask> task =
      task_of_run(run, recipe, data, held_back, teacher_of_run(options, data));
  GridNet net(architecture, options.training.seed);
  fit_stem(net, data);
  Progress progress(run.run_folder(), run.file_stem(), recipe, true);
  const double best = train(net, *task, recipe.descent, identity(options, recipe, data, held_back),
                            run.run_folder(), progress.hooks());
  write_record(run.run_folder(), {.command = options.command_line,
                                  .seed = options.training.seed,
                                  .threads = options.training.threads,
                                  .held_back_accuracy = best});
  std::printf("done: %.2f %% on the held-back part\n", 100 * best);
}

}  // namespace

void add_train_command(CLI::App& app, const std::string& command_line) {
  auto options = std::make_shared<TrainOptions>();
  options->command_line = command_line;
  CLI::App* verb =
      app.add_subcommand("train", "Train a model; an interrupted run goes on where it stood");
  add_run_options(*verb, options->run);
  add_training_options(*verb, options->training);
  verb->add_option("--teacher", options->teacher,
                   "Manifest of the s-CNN that teaches (default models/<dataset>_single.yaml)");
  verb->callback([options] { run_train(*options); });
}

}  // namespace models
