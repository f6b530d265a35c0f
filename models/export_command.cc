#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/calibration.h"
#include "models/checkpoint.h"
#include "models/commands.h"
#include "models/evaluate.h"
#include "models/network.h"
#include "models/run_options.h"
#include "models/script.h"
#include "models/sha256.h"
#include "models/trainer.h"

namespace models {
namespace {

constexpr std::uint64_t kTilingSeed = 1;  // Of the collages that are measured.

struct ExportOptions {
  RunOptions run;
  std::filesystem::path out = "models";
};

Origin read_origin_of(const std::filesystem::path& folder, const Architecture& architecture) {
  const std::filesystem::path file = folder / "run.json";
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file.string() + ": missing; has the training run finished?");
  const auto run = nlohmann::json::parse(in, nullptr, false);
  if (run.is_discarded()) throw std::runtime_error(file.string() + ": is not JSON");
  return {.command = run.value("command", "unknown"),
          .seed = run.value("seed", std::uint64_t{0}),
          .threads = run.value("threads", 0),
          .held_back_accuracy = run.value("held_back_accuracy", 0.0),
          .test_accuracy = 0,
          .test_ece = 0,
          .mmac = mmac(architecture),
          .parameters = parameter_count(architecture)};
}

Manifest describe(const ExportOptions& options, const Dataset& data, const Origin& origin) {
  const std::string stem = options.run.file_stem();
  Manifest manifest{.name = stem,
                    .kind = options.run.kind(),
                    .dataset = data.name,
                    .grid = options.run.side(),
                    .weights = options.out / "weights" / (stem + ".pt"),
                    .sha256 = {},
                    .version = {},
                    .tile = data.shape,
                    .normalisation = data.normalisation,
                    .temperature = 1,
                    .class_names = data.class_names,
                    .origin = origin};
  manifest.sha256 = sha256_of(manifest.weights);
  manifest.version = version_of(manifest.kind, manifest.grid, manifest.sha256);
  return manifest;
}

// Fits the temperature on what training did not see, then measures on the test images.
void calibrate_and_measure(Manifest& manifest, const Dataset& held_back, const Dataset& test) {
  const std::vector<float> logits = answer_all(Network(manifest), held_back, kTilingSeed);
  manifest.temperature = fit_temperature(logits, held_back.labels, held_back.class_names.size());
  const Score measured = score(Network(manifest), test, kTilingSeed);
  manifest.origin.test_accuracy = measured.accuracy;
  manifest.origin.test_ece = measured.ece;
}

void run_export(const ExportOptions& options) {
  const Dataset all = load_fashion_mnist(options.run.data, Part::train);
  const Dataset held_back = hold_back(all, kHeldBack).second;
  const Dataset test = load_fashion_mnist(options.run.data, Part::test);
  const Architecture architecture = options.run.architecture(test);
  const Origin origin = read_origin_of(options.run.run_folder(), architecture);
  GridNet net(architecture, 0);
  load_weights(net, options.run.run_folder() / "best.pt");
  const std::string stem = options.run.file_stem();
  export_script(net, options.out / "weights" / (stem + ".pt"));
  Manifest manifest = describe(options, test, origin);
  calibrate_and_measure(manifest, held_back, test);
  const Origin& o = manifest.origin;
  manifest.weights = std::filesystem::path("weights") / (stem + ".pt");
  write_by_rename(options.out / (stem + ".yaml"), [&](const std::string& part) {
    std::ofstream out(part);
    out << manifest_text(manifest);
    if (!out.flush()) throw std::runtime_error(part + ": cannot be written");
  });
  std::printf("%s: test accuracy %.2f %%, calibration error %.4f, temperature %.3f\n",
              manifest.version.c_str(), 100 * o.test_accuracy, o.test_ece, manifest.temperature);
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* verb = app.add_subcommand(
      "export", "Write the best weights of a run as TorchScript, with a measured manifest");
  add_run_options(*verb, options->run);
  verb->add_option("--out", options->out, "Folder of the manifest; weights go to weights/ in it")
      ->capture_default_str();
  verb->callback([options] { run_export(*options); });
}

}  // namespace models
