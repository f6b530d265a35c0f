#include <cstdio>

#include "models/research/commands/commands.h"
#include "models/research/commands/progress.h"
#include "models/research/commands/run_options.h"
#include "models/research/data/sources.h"
#include "models/research/evaluation/publish.h"
#include "models/research/training/trainer.h"

namespace models {
namespace {

struct ExportOptions {
  RunOptions run;
  std::filesystem::path out;  // Empty: RunOptions::home().
};

Origin origin_of(const RunRecord& record) {
  Origin origin;
  origin.command = record.command;
  origin.seed = record.seed;
  origin.threads = record.threads;
  origin.held_back_accuracy = record.held_back_accuracy;
  return origin;
}

void run_export(const ExportOptions& options) {
  const RunOptions& run = options.run;
  const Origin origin = origin_of(read_record(run.run_folder()));
  const Dataset all = load_by_name(run.dataset, Part::train, run.data.folder);
  const Dataset held_back = hold_back(all, held_back_images(run.dataset)).second;
  const Dataset test = load_by_name(run.dataset, Part::test, run.data.folder);
  GridNet net(run.architecture(test), 0);
  load_weights(net, run.run_folder() / "best.pt");
  const Manifest manifest = publish(net,
                                    {.name = run.file_stem(),
                                     .kind = run.kind(),
                                     .parity_code = run.parity_code(),
                                     .parity_images = run.parity_images(),
                                     .reflect = run.recipe().tiles.pool.augmentation.reflect,
                                     .origin = origin,
                                     .folder = options.out.empty() ? run.home() : options.out},
                                    held_back, test);
  const Origin& measured = manifest.origin;
  std::printf(
      "%s: test accuracy %.2f %%, calibration error %.4f, temperature %.3f x entropy ^ %.3f\n",
      manifest.version.c_str(), 100 * measured.test_accuracy, measured.test_ece,
      manifest.calibration.temperature, manifest.calibration.slope);
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* verb = app.add_subcommand(
      "export", "Write the best weights of a run as TorchScript, with a measured manifest");
  add_run_options(*verb, options->run);
  verb->add_option("--out", options->out,
                   "Folder of the manifest; weights go to weights/ in it (default models, or "
                   "models/research/baselines for a baseline)");
  verb->callback([options] { run_export(*options); });
}

}  // namespace models
