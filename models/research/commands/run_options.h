// What the verbs of collage-train share: which model of which data set, and where its files lie.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "models/research/data/dataset.h"
#include "models/research/nets/architecture.h"
#include "models/research/training/recipes.h"
#include "models/serving/manifest.h"

namespace models {

// Training images kept for choosing an epoch and for calibration.
std::size_t held_back_images(const std::string& dataset);

// Folder of the baselines' manifests, below that of the models that ship.
inline constexpr const char* kBaselines = "research/baselines";

struct DataOptions {
  std::optional<std::filesystem::path> folder;  // Where data sets lie; see data/sources.h.
};

// A model by its name: "single", "collage", "detect" (a collage by boxes), and the baselines
// "small", "parity-addition" and "parity-concatenation".
struct RunOptions {
  std::string dataset = "fashion";
  std::string model = "single";
  int grid = 3;  // Side of a collage; a small single costs 1/(grid*grid) of a single.
  DataOptions data;
  std::filesystem::path run;  // Empty: the usual folder of the model.

  Kind kind() const;
  int side() const { return kind() == Kind::collage ? grid : 1; }
  std::string parity_code() const;  // Empty unless a parity model.
  int parity_images() const;        // As in the paper: 2 for addition, 4 for concatenation.
  std::string file_stem() const;    // "fashion_single", "cifar10_collage_3x3".
  std::filesystem::path run_folder() const;  // `run`, else build/train/<file_stem>.
  std::filesystem::path home() const;        // Folder of the manifest: models, or kBaselines in it.
  Architecture architecture(const Dataset& data_set) const;
  Recipe recipe() const;
};

// How a network is trained.
struct TrainingOptions {
  std::optional<int> epochs;  // Overrides the recipe's.
  std::uint64_t seed = 1;
  int threads = 1;

  void apply_to(Recipe& recipe) const;
};

// Whether the test images of a data set are here; if not, prints a line on standard output.
bool has_test_images(const std::string& dataset, const DataOptions& options);

void add_data_option(CLI::App& verb, DataOptions& options);
void add_training_options(CLI::App& verb, TrainingOptions& options);
void add_run_options(CLI::App& verb, RunOptions& options);

// Seconds since an origin of this process, for reports only.
double seconds_now();

}  // namespace models
