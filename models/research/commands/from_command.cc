#include <algorithm>
#include <cstdio>
#include <optional>

#include "models/commands/commands.h"
#include "models/commands/progress_command.h"
#include "models/commands/run_options.h"
#include "models/config.h"
#include "models/data/picture_tree.h"
#include "models/evaluation/publish.h"
#include "models/nets/catalogue.h"
#include "models/training/script_teacher.h"

namespace models {
namespace {

constexpr std::size_t kHeldBackShare = 10;  // One picture in so many is kept for choosing.
constexpr std::size_t kStepsMin = 8;        // An epoch, where there are few pictures.

struct FromOptions {
  std::filesystem::path teacher;
  std::filesystem::path manifest;
  std::filesystem::path images;
  int grid = 3;
  std::optional<int> tile;
  TrainingOptions training;
  std::filesystem::path out = "models";
  std::filesystem::path run;
  std::string command_line;
};

// A tile as large as what the s-CNN takes, unless that would make the collage needlessly dear.
TileShape tile_of(const FromOptions& options, const Manifest& teacher) {
  constexpr int kTileMax = 64;
  TileShape tile = teacher.tile;
  const auto multiple_of_4 = [](int side) { return std::max(8, side / 4 * 4); };
  const int longest = options.tile.value_or(std::min(kTileMax, std::max(tile.width, tile.height)));
  const double scale = static_cast<double>(longest) / std::max(tile.width, tile.height);
  tile.width = multiple_of_4(static_cast<int>(tile.width * scale));
  tile.height = multiple_of_4(static_cast<int>(tile.height * scale));
  return tile;
}

PictureTree tree_of(const FromOptions& options, const Manifest& teacher, const TileShape& shape) {
  return {.source = options.images,
          .name = teacher.dataset.empty() ? teacher.name : teacher.dataset,
          .shape = shape,
          .normalisation = teacher.normalisation,
          .class_names = teacher.class_names};
}

// The same pictures at two sizes, split alike.
struct Parts {
  Dataset data;
  Dataset held_back;
};

Parts load_parts(const FromOptions& options, const Manifest& teacher, const TileShape& shape) {
  const Dataset all = load_picture_tree(tree_of(options, teacher, shape), Labels::if_any);
  auto [data, held_back] = hold_back(all, std::max<std::size_t>(1, all.size() / kHeldBackShare));
  return {std::move(data), std::move(held_back)};
}

std::filesystem::path run_folder(const FromOptions& options, const std::string& name) {
  return options.run.empty() ? std::filesystem::path("build/train") / name : options.run;
}

void run_from(const FromOptions& options) {
  at::set_num_threads(options.training.threads);
  Manifest scnn = load_manifest(options.manifest);
  scnn.weights = options.teacher;
  const Teacher teacher = script_teacher(scnn, {});
  const TileShape tile = tile_of(options, scnn);
  const Architecture architecture = collage_architecture(
      {.tile = tile, .classes = static_cast<int>(scnn.class_names.size())}, options.grid);
  check(architecture);

  const Parts tiles = load_parts(options, scnn, tile);
  const std::optional<Parts> taught =
      tile == scnn.tile ? std::nullopt : std::optional(load_parts(options, scnn, scnn.tile));
  const Pictures data{&tiles.data, taught ? &taught->data : nullptr};
  const Pictures held_back{&tiles.held_back, taught ? &taught->held_back : nullptr};
  const bool labelled = tiles.data.labels.front() != kUnlabelled;

  const std::string side = std::to_string(options.grid);
  const std::string name = scnn.name + "_collage_" + side + "x" + side;
  Recipe recipe = collage_recipe(tiles.data.name);
  recipe.tiles.batch_images = std::clamp(static_cast<int>(tiles.data.size() / kStepsMin),
                                         options.grid * options.grid, recipe.tiles.batch_images);
  options.training.apply_to(recipe);
  std::printf("%s: %zu pictures %s labels, tiles of %dx%d, %.1f MMAC, run folder %s\n",
              name.c_str(), tiles.data.size() + tiles.held_back.size(),
              labelled ? "with" : "without", tile.width, tile.height, mmac(architecture),
              run_folder(options, name).c_str());

  TileLesson lesson(data, held_back, options.grid, recipe.tiles, teacher);
  GridNet net(architecture, options.training.seed);
  fit_stem(net, tiles.data);
  Progress progress(run_folder(options, name), name, recipe.descent.epochs);
  const double best =
      train(net, lesson, recipe.descent, name + " seed " + std::to_string(options.training.seed),
            run_folder(options, name), progress.hooks());
  Dataset judges = tiles.held_back;
  judges.labels = labels_or_taught(held_back, teacher);  // To calibrate by.
  Origin origin;
  origin.command = options.command_line;
  origin.seed = options.training.seed;
  origin.threads = options.training.threads;
  origin.held_back_accuracy = best;
  const Manifest made = publish(net,
                                {.name = name,
                                 .kind = Kind::collage,
                                 .reflect = recipe.tiles.pool.augmentation.reflect,
                                 .origin = origin,
                                 .folder = options.out},
                                judges, std::nullopt);
  std::printf(
      "%s: %s %.2f %% on the held-back part; in pipeline.yaml:\n\n"
      "models:\n  single: %s\n  collage: %s\n",
      made.version.c_str(), labelled ? "right" : "agrees with the s-CNN", 100 * best,
      options.manifest.c_str(), (options.out / (name + ".yaml")).c_str());
}

}  // namespace

void add_from_command(CLI::App& app, const std::string& command_line) {
  auto options = std::make_shared<FromOptions>();
  options->command_line = command_line;
  CLI::App* verb = app.add_subcommand(
      "from", "Make a collage-CNN for an s-CNN of your own, taught by it on pictures of your own");
  verb->add_option("--teacher", options->teacher, "The s-CNN: TorchScript, logits [B, classes]")
      ->required();
  verb->add_option("--manifest", options->manifest, "Its manifest (models/README.md)")->required();
  verb->add_option("--images", options->images,
                   "Folder or tar archive of JPEG and PNG pictures; with a folder for each class "
                   "they count as labels. All are kept in memory")
      ->required();
  verb->add_option("--grid", options->grid, "Tiles a side, 2 to 5")
      ->check(CLI::Range(2, 5))
      ->capture_default_str();
  verb->add_option("--tile", options->tile,
                   "Longer side of a tile in pixels (default what the s-CNN takes, at most 64)")
      ->check(CLI::Range(8, 512));
  add_training_options(*verb, options->training);
  verb->add_option("--out", options->out, "Folder of the manifest; weights go to weights/ in it")
      ->capture_default_str();
  verb->add_option("--run", options->run,
                   "Folder of the training run (default build/train/<name>)");
  verb->callback([options] { run_from(*options); });
}

}  // namespace models
