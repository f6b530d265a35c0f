#include <cstdio>
#include <filesystem>

#include "models/research/atomic_file.h"
#include "models/research/commands/commands.h"
#include "models/research/commands/own_pictures.h"
#include "models/research/commands/run_options.h"
#include "models/research/data/sources.h"
#include "models/research/evaluation/evaluate.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"

namespace models {
namespace {

constexpr std::uint64_t kTilingSeed = 1;

struct QuantiseOptions {
  std::filesystem::path manifest;
  DataOptions data;
  std::filesystem::path images;  // Empty: the images held back from the training of its data set.
  std::size_t count = 5000;
};

Dataset pictures_for(const QuantiseOptions& options, const Manifest& manifest) {
  Dataset pictures =
      options.images.empty()
          ? hold_back(load_by_name(manifest.dataset, Part::train, options.data.folder),
                      held_back_images(manifest.dataset))
                .second
          : load_own_pictures({.source = options.images,
                               .name = manifest.dataset,
                               .shape = manifest.tile,
                               .normalisation = manifest.normalisation,
                               .preprocess = manifest.preprocess,
                               .class_names = manifest.class_names},
                              Labels::required, nullptr);
  if (options.count >= pictures.size()) return pictures;
  return hold_back(pictures, options.count).second;
}

double accuracy_of(const Network& network, const Dataset& pictures) {
  return accuracy(answer_all(network, pictures, kTilingSeed), pictures.labels,
                  pictures.class_names.size());
}

// The manifest with what was measured; its weights are named relative to it.
void write_back(Manifest manifest, const std::filesystem::path& file) {
  const std::filesystem::path home = std::filesystem::absolute(file).parent_path();
  manifest.weights = std::filesystem::absolute(manifest.weights).lexically_relative(home);
  write_text(file, manifest_text(manifest));
}

void run_quantise(const QuantiseOptions& options) {
  Manifest manifest = load_manifest(options.manifest);
  if (manifest.kind == Kind::parity) {
    throw std::runtime_error(options.manifest.string() +
                             ": is a parity model, which no stage serves");
  }
  if (!computes_bfloat16()) {
    std::fprintf(stderr, "this processor has no instructions for bfloat16: it takes long\n");
  }
  const Network in_float(manifest, {.precision = Precision::float32});
  const Network in_bfloat16(manifest, {.precision = Precision::bfloat16});
  const Dataset pictures = pictures_for(options, manifest);
  const double right = accuracy_of(in_float, pictures);
  const double right_then = accuracy_of(in_bfloat16, pictures);
  manifest.bfloat16 = {.lost = right - right_then, .images = pictures.size()};
  write_back(manifest, options.manifest);
  std::printf("%s: %zu images, %.2f %% right in float, %.2f %% in bfloat16\n%s\n",
              manifest.version.c_str(), pictures.size(), 100 * right, 100 * right_then,
              in_bfloat16.how_served().c_str());
  std::printf("it costs %.2f points: a stage %s\n", 100 * manifest.bfloat16.lost,
              negligible(manifest.bfloat16)
                  ? "computes in bfloat16 where that is faster"
                  : "computes in float, unless models.precision says otherwise");
  if (pictures.size() < kCostImagesMin) {
    std::printf("(%zu images show little; %zu are asked for)\n", pictures.size(), kCostImagesMin);
  }
}

}  // namespace

void add_quantise_command(CLI::App& app) {
  auto options = std::make_shared<QuantiseOptions>();
  CLI::App* verb = app.add_subcommand(
      "quantise",
      "Measure what bfloat16 costs a model on images held back from training, and note it in its "
      "manifest, which is written anew, without comments");
  verb->add_option("manifest", options->manifest, "Its manifest, which is written again")
      ->required();
  add_data_option(*verb, options->data);
  verb->add_option("--images", options->images,
                   "Pictures of a model of your own that it was not trained on: a folder or tar "
                   "archive with a folder for each class");
  verb->add_option("--count", options->count, "At most so many images")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  verb->callback([options] { run_quantise(*options); });
}

}  // namespace models
