#include <algorithm>
#include <cstdio>
#include <optional>
#include <tuple>

#include "models/research/commands/commands.h"
#include "models/research/commands/own_pictures.h"
#include "models/research/commands/progress.h"
#include "models/research/commands/run_options.h"
#include "models/research/commands/trust_report.h"
#include "models/research/evaluation/evaluate.h"
#include "models/research/evaluation/publish.h"
#include "models/research/nets/catalogue.h"
#include "models/research/training/single_teacher.h"
#include "models/serving/manifest_reader.h"

namespace models {
namespace {

constexpr std::size_t kHeldBackShare = 10;  // One picture in this many is held back.
constexpr std::size_t kStepsMin = 8;        // Steps of an epoch, where there are few pictures.
constexpr std::size_t kFewPictures = 50;    // For each class; with fewer a user is warned.

struct FromOptions {
  std::filesystem::path teacher;
  std::filesystem::path manifest;
  std::filesystem::path images;
  std::vector<std::filesystem::path> more;  // Pictures that nobody has labelled.
  bool unlabelled = false;
  bool no_mirror = false;
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
  const int scnn = std::max(tile.width, tile.height);
  const int longest = options.tile.value_or(std::min(kTileMax, scnn));
  // Whole numbers: 112 / 299.0 * 299 is a little less than 112.
  const auto scaled = [&](int side) { return std::max(8, side * longest / scnn / 4 * 4); };
  tile.width = scaled(tile.width);
  tile.height = scaled(tile.height);
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

// What is trained on, and what is held back.
struct Parts {
  Dataset data;
  Dataset held_back;
  std::optional<TeacherTiles> teacher_tiles;  // Of both, if the s-CNN takes tiles of another size.
  bool labelled = false;
  std::size_t more = 0;  // Of the pictures those that --more added, without labels.

  Pictures pictures(const Dataset& part) const {
    return {&part, teacher_tiles ? &*teacher_tiles : nullptr};
  }
};

Parts load_parts(const FromOptions& options, const Manifest& scnn, const TileShape& tile,
                 const std::filesystem::path& run_folder) {
  Parts parts;
  if (tile != scnn.tile) {
    parts.teacher_tiles.emplace(TeacherTiles{.shape = scnn.tile,
                                             .normalisation = scnn.normalisation,
                                             .preprocess = scnn.preprocess,
                                             .file = {run_folder, scnn.tile.bytes()}});
  }
  const auto load = [&](const std::filesystem::path& source, Labels labels) {
    return load_own_pictures({.source = source,
                              .name = dataset_name(scnn),
                              .shape = tile,
                              .normalisation = scnn.normalisation,
                              .preprocess = preprocess_at(scnn, tile),
                              .class_names = scnn.class_names},
                             labels, parts.teacher_tiles ? &*parts.teacher_tiles : nullptr);
  };
  const Dataset all = load(options.images, options.unlabelled ? Labels::ignored : Labels::if_any);
  std::tie(parts.data, parts.held_back) =
      hold_back(all, std::max<std::size_t>(1, all.size() / kHeldBackShare));
  parts.labelled = all.labels.front() != kUnlabelled;
  for (const std::filesystem::path& more : options.more) {
    const Dataset all_more = load(more, Labels::ignored);
    const Dataset unlabelled = without(all_more, parts.held_back);
    parts.more += unlabelled.size();
    if (unlabelled.size() < all_more.size()) {
      std::fprintf(stderr, "%s: %zu pictures are also held back, and are left out here\n",
                   more.c_str(), all_more.size() - unlabelled.size());
    }
    if (unlabelled.size() == 0) continue;
    append(parts.data, unlabelled);
  }
  return parts;
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
  if (options.no_mirror) {
    run.recipe.tiles.pool.augmentation.mirror = 0;
    run.recipe.tiles.pool.alternate_mirror = false;
  }
  check(run.architecture);
  return run;
}

// Few pictures fill few batches; smaller ones give an epoch kStepsMin steps all the same.
int batch_images(const Run& run, std::size_t pictures) {
  return std::clamp(static_cast<int>(pictures / kStepsMin), run.architecture.slots(),
                    run.recipe.tiles.batch_images);
}

void print_run(const Run& run, const Parts& parts) {
  const Architecture& a = run.architecture;
  const std::size_t pictures = parts.data.size() + parts.held_back.size() - parts.more;
  const std::string more = parts.more > 0 ? ", " + std::to_string(parts.more) + " more" : "";
  std::printf("%s: %zu pictures %s labels%s, tiles of %dx%d, %.1f MMAC, run folder %s\n",
              run.name.c_str(), pictures, parts.labelled ? "with" : "without", more.c_str(),
              a.tile_width, a.tile_height, mmac(a), run.folder.c_str());
  if (pictures < kFewPictures * static_cast<std::size_t>(a.classes)) {
    std::fprintf(stderr,
                 "WARNING: %zu pictures are few for %d classes; the collage learns only what they "
                 "show, and the %zu that are held back measure it roughly\n",
                 pictures, a.classes, parts.held_back.size());
  }
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
                         const Parts& parts) {
  std::string text = run.name + " seed " + std::to_string(options.training.seed) + " s-CNN " +
                     teacher_identity(scnn) + " input " + std::to_string(scnn.tile.width) + "x" +
                     std::to_string(scnn.tile.height) + preprocess_text(scnn.preprocess) + " " +
                     settings_text(run.recipe.tiles) + " pictures";
  for (const Dataset* part : {&parts.data, &parts.held_back}) text += " " + digest_of(*part);
  return text;
}

// Trains `net` on the pictures; returns the validation accuracy of its best epoch.
double train_student(GridNet& net, const Run& run, const std::string& identity, const Parts& parts,
                     const Teacher& teacher, int grid) {
  TileTask task(parts.pictures(parts.data), parts.pictures(parts.held_back), grid, run.recipe.tiles,
                teacher);
  fit_stem(net, parts.data);
  const Descent& descent = run.recipe.descent;
  Progress progress(run.folder, run.name, run.recipe, false);
  return train(net, task, descent, identity, run.folder, progress.hooks());
}

void run_from(const FromOptions& options) {
  at::set_num_threads(options.training.threads);
  Manifest scnn = load_manifest(options.manifest);
  scnn.weights = options.teacher;
  Teacher teacher = single_teacher(scnn, {});
  CountLine line("pictures answered by the s-CNN");
  teacher.on_progress = [&](std::size_t done, std::size_t whole) { line.show(done, whole); };
  const TileShape tile = tile_of(options, scnn);
  Run run = run_of(options, scnn, tile);

  const Parts parts = load_parts(options, scnn, tile, run.folder);
  run.recipe.tiles.batch_images = batch_images(run, parts.data.size());
  print_run(run, parts);

  GridNet net(run.architecture, options.training.seed);
  const std::string identity = run_identity(run, options, scnn, parts);
  const double best = train_student(net, run, identity, parts, teacher, options.grid);
  const std::vector<int> singles = teacher_classes(parts.pictures(parts.held_back), teacher);
  Dataset calibration = parts.held_back;
  if (!parts.labelled) calibration.labels = singles;
  const Manifest made = publish(net,
                                {.name = run.name,
                                 .kind = Kind::collage,
                                 .mirror = !options.no_mirror,
                                 .reflect = run.recipe.tiles.pool.augmentation.reflect,
                                 .origin = origin_of(options, best),
                                 .folder = options.out},
                                calibration, std::nullopt);
  const std::vector<AnswerPair> pairs =
      pair_answers(Network(made), parts.held_back, singles, options.training.seed);
  std::printf("%s  They also chose its best epoch; judge it by others: collage-train eval --help\n",
              trust_report(pairs, parts.labelled, "held-back pictures", kMayLose).c_str());
  std::printf("%s is made; in pipeline.yaml:\n\nmodels:\n  single: %s\n  collage: %s\n",
              made.version.c_str(), options.manifest.c_str(),
              (options.out / (run.name + ".yaml")).c_str());
}

}  // namespace

void add_from_command(CLI::App& app, const std::string& command_line) {
  auto options = std::make_shared<FromOptions>();
  options->command_line = command_line;
  CLI::App* verb = app.add_subcommand(
      "from",
      "Make a collage-CNN for an s-CNN of your own, distilled from it on pictures of your own");
  verb->add_option("--teacher", options->teacher, "The s-CNN, a TorchScript or ONNX file")
      ->required();
  verb->add_option("--manifest", options->manifest, "Its manifest (docs/MODELS.md)")->required();
  verb->add_option("--images", options->images,
                   "Folder or tar archive of pictures; with a folder for each class they count as "
                   "labels")
      ->required();
  verb->add_option("--more", options->more,
                   "More pictures, of any other source: the s-CNN's answers to them are learned, "
                   "their folders mean nothing");
  verb->add_flag("--unlabelled", options->unlabelled,
                 "Folders of --images are no classes; only the s-CNN's answers are learned");
  verb->add_flag("--no-mirror", options->no_mirror,
                 "Do not mirror pictures, as of writing, whose classes a mirror changes");
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
