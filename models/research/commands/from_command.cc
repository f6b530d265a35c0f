#include <algorithm>
#include <cstdio>
#include <optional>

#include "models/research/commands/commands.h"
#include "models/research/commands/progress.h"
#include "models/research/commands/run_options.h"
#include "models/research/commands/skipped_files.h"
#include "models/research/data/picture_tree.h"
#include "models/research/evaluation/publish.h"
#include "models/research/nets/catalogue.h"
#include "models/research/training/script_teacher.h"
#include "models/serving/manifest_reader.h"

namespace models {
namespace {

constexpr std::size_t kHeldBackShare = 10;  // One picture in this many is held back.
constexpr std::size_t kStepsMin = 8;        // Steps of an epoch, where there are few pictures.

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
  constexpr int kTileMax = 64;  // Pixels.
  TileShape tile = teacher.tile;
  const auto multiple_of_4 = [](int side) { return std::max(8, side / 4 * 4); };
  const int longest = options.tile.value_or(std::min(kTileMax, std::max(tile.width, tile.height)));
  const double scale = static_cast<double>(longest) / std::max(tile.width, tile.height);
  tile.width = multiple_of_4(static_cast<int>(tile.width * scale));
  tile.height = multiple_of_4(static_cast<int>(tile.height * scale));
  return tile;
}

std::string dataset_name(const Manifest& scnn) {
  return scnn.dataset.empty() ? scnn.name : scnn.dataset;
}

// The teacher's way from pictures to tiles, at the size of other tiles.
imaging::Preprocess preprocess_at(const Manifest& teacher, const TileShape& shape) {
  imaging::Preprocess preprocess = teacher.preprocess;
  if (preprocess.shorter_side > 0) {
    preprocess.shorter_side =
        std::max(1, preprocess.shorter_side * shape.width / teacher.tile.width);
  }
  return preprocess;
}

PictureTree tree_of(const FromOptions& options, const Manifest& teacher, const TileShape& shape,
                    SkippedFiles& skipped) {
  return {.source = options.images,
          .name = dataset_name(teacher),
          .shape = shape,
          .normalisation = teacher.normalisation,
          .preprocess = preprocess_at(teacher, shape),
          .class_names = teacher.class_names,
          .on_skipped = skipped.hook()};
}

// Pictures of one size: hold_back() splits the pictures of the other size alike.
struct Parts {
  Dataset data;
  Dataset held_back;
  std::string skipped;  // What a user should know of files that are no pictures.
};

bool labelled(const Parts& parts) { return parts.data.labels.front() != kUnlabelled; }

Parts load_parts(const FromOptions& options, const Manifest& teacher, const TileShape& shape) {
  SkippedFiles skipped(options.images);
  const Dataset all = load_picture_tree(tree_of(options, teacher, shape, skipped), Labels::if_any);
  auto [data, held_back] = hold_back(all, std::max<std::size_t>(1, all.size() / kHeldBackShare));
  return {std::move(data), std::move(held_back), skipped.summary()};
}

// One run of `from`: what is trained, and where its files go.
struct Run {
  std::string name;
  std::filesystem::path folder;
  Architecture architecture;
  Recipe recipe;
};

Run run_of(const FromOptions& options, const Manifest& scnn, const TileShape& tile) {
  const std::string side = std::to_string(options.grid);
  const std::string name = scnn.name + "_collage_" + side + "x" + side;
  Run run{.name = name,
          .folder = options.run.empty() ? std::filesystem::path("build/train") / name : options.run,
          .architecture = collage_architecture(
              {.tile = tile, .classes = static_cast<int>(scnn.class_names.size())}, options.grid),
          .recipe = collage_recipe(dataset_name(scnn))};
  options.training.apply_to(run.recipe);
  check(run.architecture);
  return run;
}

// Few pictures fill few batches; smaller ones give an epoch kStepsMin steps all the same.
int batch_images(const Run& run, std::size_t pictures) {
  return std::clamp(static_cast<int>(pictures / kStepsMin), run.architecture.slots(),
                    run.recipe.tiles.batch_images);
}

void print_run(const Run& run, const Parts& tiles) {
  const Architecture& a = run.architecture;
  if (!tiles.skipped.empty()) std::fprintf(stderr, "%s\n", tiles.skipped.c_str());
  std::printf("%s: %zu pictures %s labels, tiles of %dx%d, %.1f MMAC, run folder %s\n",
              run.name.c_str(), tiles.data.size() + tiles.held_back.size(),
              labelled(tiles) ? "with" : "without", a.tile_width, a.tile_height, mmac(a),
              run.folder.c_str());
}

Origin origin_of(const FromOptions& options, double held_back_accuracy) {
  Origin origin;
  origin.command = options.command_line;
  origin.seed = options.training.seed;
  origin.threads = options.training.threads;
  origin.held_back_accuracy = held_back_accuracy;
  return origin;
}

// What a checkpoint must be of to be taken up: another teacher, or other pictures or classes, would
// give a network that is right about neither.
std::string run_identity(const Run& run, const FromOptions& options, const Manifest& scnn,
                         const Pictures& data, const Pictures& held_back) {
  const OutputForm& output = scnn.output_form;
  std::string text = run.name + " seed " + std::to_string(options.training.seed) + " s-CNN " +
                     scnn.sha256.substr(0, 16) + " output " + output.key +
                     (output.scores == Scores::logits ? " logits" : " probabilities") + " pictures";
  for (const Pictures* part : {&data, &held_back}) {
    text += " " + digest_of(*part->tiles);
    if (part->teacher_tiles) text += " " + digest_of(*part->teacher_tiles);
  }
  return text;
}

// Trains `net` on the pictures; returns the validation accuracy of its best epoch.
double train_student(GridNet& net, const Run& run, const std::string& identity,
                     const Pictures& data, const Pictures& held_back, const Teacher& teacher,
                     int grid) {
  TileTask task(data, held_back, grid, run.recipe.tiles, teacher);
  fit_stem(net, *data.tiles);
  const Descent& descent = run.recipe.descent;
  Progress progress(run.folder, run.name, descent.epochs);
  return train(net, task, descent, identity, run.folder, progress.hooks());
}

void run_from(const FromOptions& options) {
  at::set_num_threads(options.training.threads);
  Manifest scnn = load_manifest(options.manifest);
  scnn.weights = options.teacher;
  const Teacher teacher = script_teacher(scnn, {});
  const TileShape tile = tile_of(options, scnn);
  Run run = run_of(options, scnn, tile);

  const Parts tiles = load_parts(options, scnn, tile);
  const std::optional<Parts> teacher_tiles =
      tile == scnn.tile ? std::nullopt : std::optional(load_parts(options, scnn, scnn.tile));
  // Otherwise a picture would get the teacher's answer to another one.
  if (teacher_tiles && teacher_tiles->skipped != tiles.skipped) {
    throw std::runtime_error(options.images.string() + ": has changed while it was read");
  }
  const Pictures data{&tiles.data, teacher_tiles ? &teacher_tiles->data : nullptr};
  const Pictures held_back{&tiles.held_back, teacher_tiles ? &teacher_tiles->held_back : nullptr};
  run.recipe.tiles.batch_images = batch_images(run, tiles.data.size());
  print_run(run, tiles);

  GridNet net(run.architecture, options.training.seed);
  const double best = train_student(net, run, run_identity(run, options, scnn, data, held_back),
                                    data, held_back, teacher, options.grid);
  Dataset calibration = tiles.held_back;
  calibration.labels = labels_or_teacher_classes(held_back, teacher);
  const Manifest made = publish(net,
                                {.name = run.name,
                                 .kind = Kind::collage,
                                 .reflect = run.recipe.tiles.pool.augmentation.reflect,
                                 .origin = origin_of(options, best),
                                 .folder = options.out},
                                calibration, std::nullopt);
  std::printf(
      "%s: %s %.2f %% on the held-back part; in pipeline.yaml:\n\n"
      "models:\n  single: %s\n  collage: %s\n",
      made.version.c_str(), labelled(tiles) ? "right" : "agrees with the s-CNN", 100 * best,
      options.manifest.c_str(), (options.out / (run.name + ".yaml")).c_str());
}

}  // namespace

void add_from_command(CLI::App& app, const std::string& command_line) {
  auto options = std::make_shared<FromOptions>();
  options->command_line = command_line;
  CLI::App* verb = app.add_subcommand(
      "from",
      "Make a collage-CNN for an s-CNN of your own, distilled from it on pictures of your own");
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
