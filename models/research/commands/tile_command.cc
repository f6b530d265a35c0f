#include <cstdio>

#include "imaging/encode.h"
#include "models/research/commands/commands.h"
#include "models/research/commands/run_options.h"
#include "models/research/data/sources.h"
#include "models/research/data/tiling.h"
#include "models/research/evaluation/collage_picture.h"
#include "models/research/evaluation/evaluate.h"
#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"
#include "runtime/service/install_paths.h"

namespace models {
namespace {

struct TileOptions {
  std::string dataset = "fashion";
  int grid = 3;
  std::filesystem::path manifest;  // Empty: the data set's collage of this grid in models/.
  DataOptions data;
  int count = 3;
  double partial_share = 0.34;
  std::uint64_t seed = 1;
  std::filesystem::path out = "out/models/collages";
};

// Lays out one tiling and draws it with the network's answers.
imaging::Picture drawn(const Network& network, const Dataset& data,
                       std::span<const std::int64_t> tiling) {
  const Manifest& m = network.manifest();
  const std::vector<std::uint8_t> canvas = canvas_of(m, data, tiling);
  std::vector<bool> blank;
  for (const std::int64_t image : tiling) blank.push_back(image == kBlank);
  const machine::Cells answers = network.classify_collage(canvas, blank, 1);
  std::vector<DrawnSlot> slots(tiling.size());
  for (std::size_t slot = 0; slot < tiling.size(); ++slot) {
    slots[slot].blank = blank[slot];
    if (blank[slot]) continue;
    slots[slot].truth = data.labels[static_cast<std::size_t>(tiling[slot])];
    if (answers.cells.empty() || answers.cells[slot].empty()) continue;
    slots[slot].answer = answers.cells[slot].front().label;
    slots[slot].probability = answers.cells[slot].front().probability;
  }
  return draw_collage(canvas, m.layout(), m.tile.channels, slots, m.class_names);
}

void run_tile(const TileOptions& options) {
  const std::string side = std::to_string(options.grid);
  const std::filesystem::path file =
      options.manifest.empty() ? runtime::installed_path("models") /
                                     (options.dataset + "_collage_" + side + "x" + side + ".yaml")
                               : options.manifest;
  const Manifest manifest = load_manifest(file);
  if (manifest.kind != Kind::collage) throw std::runtime_error(file.string() + ": is no collage");
  const Network network(manifest);
  const Dataset test = load_by_name(manifest.dataset, Part::test, options.data.folder);
  check_fit(manifest, test);
  machine::Rng rng(options.seed);
  const auto slots = static_cast<std::size_t>(manifest.slots());
  const std::vector<std::int64_t> tilings =
      draw_tilings(test.size(), slots, options.partial_share, rng);
  std::filesystem::create_directories(options.out);
  for (int i = 0; i < options.count; ++i) {
    const auto tiling = std::span(tilings).subspan(static_cast<std::size_t>(i) * slots, slots);
    const std::filesystem::path picture =
        options.out / (manifest.name + "_" + std::to_string(i) + ".png");
    imaging::write_png(picture, drawn(network, test, tiling));
    std::printf("%s\n", picture.c_str());
  }
}

}  // namespace

void add_tile_command(CLI::App& app) {
  auto options = std::make_shared<TileOptions>();
  CLI::App* verb = app.add_subcommand(
      "tile", "Draw collages of test images with what the network answers for each");
  verb->add_option("--dataset", options->dataset, "fashion, cifar10 or imagenet64")
      ->check(CLI::IsMember(dataset_names()))
      ->capture_default_str();
  verb->add_option("--grid", options->grid, "Tiles a side, 2 to 5")
      ->check(CLI::Range(2, 5))
      ->capture_default_str();
  verb->add_option("--manifest", options->manifest,
                   "Another collage than the data set's own of this grid");
  add_data_option(*verb, options->data);
  verb->add_option("--count", options->count, "How many pictures")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  verb->add_option("--partial", options->partial_share, "Share of collages with blank slots")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--seed", options->seed, "Chooses the tilings")->capture_default_str();
  verb->add_option("--out", options->out, "Folder of the PNG files")->capture_default_str();
  verb->callback([options] { run_tile(*options); });
}

}  // namespace models
