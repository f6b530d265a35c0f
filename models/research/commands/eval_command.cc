#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include "models/research/commands/commands.h"
#include "models/research/commands/figures.h"
#include "models/research/commands/own_pictures.h"
#include "models/research/commands/progress.h"
#include "models/research/commands/run_options.h"
#include "models/research/commands/trust_report.h"
#include "models/research/data/sources.h"
#include "models/research/evaluation/evaluate.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"
#include "runtime/service/install_paths.h"

namespace models {
namespace {

struct EvalOptions {
  std::vector<std::filesystem::path> manifests;  // Empty: all in models/.
  DataOptions data;
  std::filesystem::path images;  // A user's own pictures instead of a data set.
  std::filesystem::path json = "out/models/eval.json";
  std::uint64_t seed = 1;
  int rounds = 200;
  int blank_rounds = 4;
  std::filesystem::path single;   // A user's own s-CNN
  std::filesystem::path collage;  // and a collage for it, asked about the same pictures.
  bool unlabelled = false;
  double may_lose = 100 * kMayLose;  // Points.
};

PictureTree tree_of(const EvalOptions& options, const Manifest& manifest) {
  return {.source = options.images,
          .name = manifest.dataset,
          .shape = manifest.tile,
          .normalisation = manifest.normalisation,
          .preprocess = manifest.preprocess,
          .class_names = manifest.class_names};
}

// Test images of a data set for a model's tiles.
Dataset test_images(const EvalOptions& options, const Manifest& manifest) {
  if (options.images.empty()) {
    return load_by_name(manifest.dataset, Part::test, options.data.folder);
  }
  return load_own_pictures(tree_of(options, manifest), Labels::required, nullptr);
}

nlohmann::ordered_json evaluation_row(const Network& network, const Dataset& test, double latency_s,
                                      const EvalOptions& options) {
  const Score measured = score(network, test, options.seed);
  nlohmann::ordered_json row = model_figures(network.manifest());
  row["name"] = network.manifest().name;
  row["accuracy"] = measured.accuracy;
  row["loss_points"] = 0.0;
  row["latency_ms"] = 1e3 * latency_s;
  row["latency_ratio"] = 1.0;
  row["mmac"] = network.manifest().origin.mmac;
  row["parameters"] = network.manifest().origin.parameters;
  row["ece"] = measured.ece;
  row["images"] = test.size();
  if (network.manifest().kind == Kind::collage) {
    const BlankScore blanks = score_blanks(network, test, options.seed, options.blank_rounds);
    row["blank_recall"] = blanks.blank_recall;
    row["false_blank_rate"] = blanks.false_blank_rate;
    row["blank_cost_points"] = blanks.cost_points;
    row["blank_cost_error"] = blanks.cost_error;
  }
  return row;
}

// The models of one data set, measured in one process and taking turns.
void measure(const std::vector<Manifest>& manifests, const EvalOptions& options,
             nlohmann::ordered_json& rows) {
  std::vector<Network> networks(manifests.begin(), manifests.end());
  // By the size of a tile and by how pictures become tiles.
  std::map<std::tuple<int, int, std::string>, Dataset> tests;
  std::vector<Timed> timed;
  for (const Network& network : networks) {
    const TileShape& tile = network.manifest().tile;
    const auto key =
        std::tuple(tile.width, tile.height, preprocess_text(network.manifest().preprocess));
    if (!tests.contains(key)) tests[key] = test_images(options, network.manifest());
    timed.push_back({&network, &tests[key]});
  }
  const std::vector<double> latencies = median_latencies(timed, options.rounds, seconds_now);
  auto measured = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < networks.size(); ++i) {
    measured.push_back(evaluation_row(networks[i], *timed[i].images, latencies[i], options));
  }
  compare_with_single(measured);
  for (const auto& row : measured) rows.push_back(row);
}

// At most 80 columns for what ships; the JSON has what does not fit.
void print_evaluation(const nlohmann::ordered_json& rows) {
  std::printf("%-19s %8s %5s %5s %5s %6s %6s %7s %s\n", "model", "accuracy", "loses", "ms", "ratio",
              "MMAC", "ECE", "blanks", "cost");
  for (const auto& r : rows) {
    std::printf("%-19s %7.2f%% %5.2f %5.2f %5.2f %6.1f %6.4f", r["name"].get<std::string>().c_str(),
                100 * r["accuracy"].get<double>(), r["loss_points"].get<double>(),
                r["latency_ms"].get<double>(), r["latency_ratio"].get<double>(),
                r["mmac"].get<double>(), r["ece"].get<double>());
    if (r.contains("blank_recall")) {
      std::printf(" %6.2f%% %.2f+-%.2f", 100 * r["blank_recall"].get<double>(),
                  r["blank_cost_points"].get<double>(), r["blank_cost_error"].get<double>());
    }
    std::printf("\n");
  }
}

// Manifests by data set, in the order given; data sets that are not here are reported and left out.
std::map<std::string, std::vector<Manifest>> group(const EvalOptions& options) {
  const bool all = options.manifests.empty();
  std::map<std::string, std::vector<Manifest>> groups;
  for (const auto& file :
       all ? manifests_in(runtime::installed_path("models")) : options.manifests) {
    const Manifest manifest = load_manifest(file);
    groups[options.images.empty() ? manifest.dataset : ""].push_back(manifest);
  }
  for (const std::string& name : dataset_names()) {
    if (all && groups.contains(name) && !has_test_images(name, options.data)) groups.erase(name);
  }
  return groups;
}

Manifest load_kind(const std::filesystem::path& file, Kind kind, const char* word) {
  Manifest manifest = load_manifest(file);
  if (manifest.kind != kind) {
    throw std::runtime_error(file.string() + ": is not the manifest of a " + word);
  }
  return manifest;
}

// The s-CNN's class of each picture, as a stage answers it.
std::vector<int> classes_of(const Network& single, const TeacherInput& pictures) {
  CountLine line("pictures answered by the s-CNN");
  std::vector<int> classes;
  std::vector<std::uint8_t> pixels(pictures.shape.bytes());
  for (std::size_t i = 0; i < pictures.count; ++i) {
    pictures.write(i, pixels);
    const std::optional<std::size_t> best = best_class(single.logits(pixels));
    classes.push_back(best ? static_cast<int>(*best) : kNoAnswer);
    line.show(classes.size(), pictures.count);
  }
  return classes;
}

// Whether a collage may answer for its s-CNN, by a user's own pictures.
void run_pair(const EvalOptions& options) {
  const Network single(load_kind(options.single, Kind::single, "single"));
  const Network collage(load_kind(options.collage, Kind::collage, "collage"));
  const Manifest& s = single.manifest();
  const Manifest& c = collage.manifest();
  if (s.class_names != c.class_names) {
    throw std::runtime_error(options.collage.string() + ": its classes are not those of " +
                             options.single.string());
  }
  std::optional<TeacherTiles> large;
  if (s.tile != c.tile || s.preprocess != c.preprocess) {
    large.emplace(TeacherTiles{.shape = s.tile,
                               .normalisation = s.normalisation,
                               .preprocess = s.preprocess,
                               .file = {options.json.parent_path(), s.tile.bytes()}});
  }
  TeacherTiles* const for_single = large ? &*large : nullptr;
  const Dataset data = load_own_pictures(
      tree_of(options, c), options.unlabelled ? Labels::ignored : Labels::if_any, for_single);
  const std::vector<int> singles = classes_of(single, unchanged({&data, for_single}));
  const bool labelled = data.labels.front() != kUnlabelled;
  const std::vector<AnswerPair> pairs = pair_answers(collage, data, singles, options.seed);
  std::printf("%s", trust_report(pairs, labelled, "pictures", options.may_lose / 100).c_str());
  write_json(options.json, trust_json(pairs, labelled, options.may_lose / 100));
}

void run_eval(const EvalOptions& options) {
  if (!options.collage.empty()) {
    run_pair(options);
    return;
  }
  auto rows = nlohmann::ordered_json::array();
  for (auto& [dataset, manifests] : group(options)) {
    std::ranges::stable_sort(manifests, {}, [](const Manifest& m) {
      return std::tuple(m.kind != Kind::single, m.head, m.grid);
    });
    measure(manifests, options, rows);
  }
  print_evaluation(rows);
  write_json(options.json, rows);
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = app.add_subcommand(
      "eval", "Measure models on the test images: accuracy, calibration, time, as served");
  verb->add_option("manifests", options->manifests,
                   "Manifests; a data set's single is what its others are compared with "
                   "(default models/*.yaml)");
  add_data_option(*verb, options->data);
  CLI::Option* images = verb->add_option(
      "--images", options->images, "Measure on these pictures instead: a folder for each class");
  CLI::Option* single = verb->add_option("--manifest", options->single,
                                         "An s-CNN of your own, which --collage is to answer for");
  CLI::Option* collage =
      verb->add_option("--collage", options->collage,
                       "Say whether this collage may answer for --manifest, by --images with or "
                       "without folders of classes")
          ->needs(images)
          ->needs(single);
  single->needs(collage);
  verb->add_flag("--unlabelled", options->unlabelled, "Folders of --images are no classes")
      ->needs(collage);
  verb->add_option("--may-lose", options->may_lose,
                   "How many points --collage may lose, or disagree on, and be good enough")
      ->check(CLI::Range(0.0, 100.0))
      ->needs(collage)
      ->capture_default_str();
  verb->add_option("--json", options->json, "Where the figures go as JSON")->capture_default_str();
  verb->add_option("--seed", options->seed, "Chooses the tilings of the test images")
      ->capture_default_str();
  verb->add_option("--rounds", options->rounds, "Timed inferences of each model, taking turns")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  verb->add_option("--blank-rounds", options->blank_rounds,
                   "Tilings of all images, full and partly blank, by which a blank slot's cost to "
                   "its neighbours is measured; its error shrinks with their square root")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  verb->callback([options] { run_eval(*options); });
}

}  // namespace models
