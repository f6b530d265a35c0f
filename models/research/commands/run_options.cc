#include "models/research/commands/run_options.h"

#include <cstdio>

#include "models/research/data/sources.h"
#include "models/research/nets/catalogue.h"
#include "runtime/loop/clock.h"

namespace models {

// imagenet64 has 450 images a class, and misses each of them more than the others would.
std::size_t held_back_images(const std::string& dataset) {
  return dataset == "imagenet64" ? 2500 : 5000;
}

Kind RunOptions::kind() const {
  if (model == "collage" || model == "detect") return Kind::collage;
  return parity_code().empty() ? Kind::single : Kind::parity;
}

std::string RunOptions::parity_code() const {
  constexpr std::string_view kPrefix = "parity-";
  return model.starts_with(kPrefix) ? model.substr(kPrefix.size()) : "";
}

int RunOptions::parity_images() const {
  if (parity_code().empty()) return 0;
  return parity_code() == "addition" ? 2 : 4;
}

std::string RunOptions::file_stem() const {
  if (model == "single") return dataset + "_single";
  if (kind() == Kind::parity) {
    return dataset + "_parity_" + parity_code() + "_" + std::to_string(parity_images());
  }
  const std::string side = std::to_string(grid);
  return dataset + "_" + model + "_" + side + "x" + side;
}

std::filesystem::path RunOptions::run_folder() const {
  return run.empty() ? std::filesystem::path("build/train") / file_stem() : run;
}

std::filesystem::path RunOptions::home() const {
  const std::filesystem::path models = "models";
  const bool baseline = model == "small" || kind() == Kind::parity;
  return baseline ? models / kBaselines : models;
}

Architecture RunOptions::architecture(const Dataset& data_set) const {
  const Subject subject{.tile = data_set.shape,
                        .classes = static_cast<int>(data_set.class_names.size())};
  if (model == "collage") return collage_architecture(subject, grid);
  if (model == "detect") return detect_architecture(subject, grid);
  if (model == "small") return small_architecture(subject, grid);
  return single_architecture(subject);
}

Recipe RunOptions::recipe() const {
  if (model == "single") return single_recipe(dataset);
  if (kind() == Kind::parity) return parity_recipe(dataset);
  if (model == "detect") return detect_recipe(dataset);
  return model == "small" ? small_recipe(dataset) : collage_recipe(dataset);
}

void TrainingOptions::apply_to(Recipe& recipe) const {
  recipe.tiles.pool.seed = seed;
  if (epochs) recipe.descent.epochs = *epochs;
}

void add_training_options(CLI::App& verb, TrainingOptions& options) {
  verb.add_option("--epochs", options.epochs, "Passes over the pictures")
      ->check(CLI::Range(1, 100000));
  verb.add_option("--seed", options.seed, "Chooses weights, changes and tilings")
      ->capture_default_str();
  verb.add_option("--threads", options.threads, "Threads; a seed repeats for one count only")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
}

bool has_test_images(const std::string& dataset, const DataOptions& options) {
  if (find_source(dataset, Part::test, options.folder)) return true;
  std::printf(
      "%s: its images are not here, so it is left out (--data or COLLAGE_DATA gives the folder)\n",
      dataset.c_str());
  return false;
}

void add_data_option(CLI::App& verb, DataOptions& options) {
  verb.add_option(
          "--data", options.folder,
          "Folder that holds the data set; Fashion-MNIST is also found where Debian puts it")
      ->envname("COLLAGE_DATA");
}

void add_run_options(CLI::App& verb, RunOptions& options) {
  verb.add_option("--dataset", options.dataset, "fashion, cifar10 or imagenet64")
      ->check(CLI::IsMember(dataset_names()))
      ->capture_default_str();
  verb.add_option("--model", options.model,
                  "single (the s-CNN); collage (grid x grid images) or detect (the same by boxes); "
                  "baselines: small (a single of 1/(grid*grid) of the cost), parity-addition, "
                  "parity-concatenation")
      ->check(CLI::IsMember(
          {"single", "collage", "detect", "small", "parity-addition", "parity-concatenation"}))
      ->capture_default_str();
  verb.add_option("--grid", options.grid, "Tiles a side, 2 to 5")
      ->check(CLI::Range(2, 5))
      ->capture_default_str();
  add_data_option(verb, options.data);
  verb.add_option("--run", options.run, "Folder of the training run (default build/train/<model>)");
}

double seconds_now() { return wire::to_seconds(runtime::now().since_start); }

}  // namespace models
