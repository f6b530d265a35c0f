// What the verbs of collage-train share: which model of which data set is meant, and where its
// parts lie.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "models/data/dataset.h"
#include "models/manifest.h"
#include "models/nets/architecture.h"
#include "models/training/recipes.h"

namespace models {

inline constexpr std::size_t kHeldBack = 5000;  // Training images kept for choosing.

struct DataOptions {
  std::optional<std::filesystem::path> folder;  // Where data sets lie; see data/sources.h.
};

// A model by its word: "single", "collage", "detect" (a collage by boxes), and the rivals "small",
// "parity-addition" and "parity-concatenation".
struct RunOptions {
  std::string dataset = "fashion";
  std::string model = "single";
  int grid = 3;  // Of a collage; of a small single, whose cost is 1/(grid*grid).
  DataOptions data;
  std::filesystem::path run;  // Empty: the usual folder of the model.

  Kind kind() const;
  int side() const { return kind() == Kind::collage ? grid : 1; }
  std::string parity_code() const;           // Empty unless a parity model.
  int parity_images() const;                 // As their authors take them: 2 added, 4 side by side.
  std::string file_stem() const;             // "fashion_single", "cifar10_collage_3x3".
  std::filesystem::path run_folder() const;  // build/train/<file_stem> unless told.
  std::filesystem::path home() const;        // Of the manifest: models, or models/rivals.
  Architecture architecture(const Dataset& data_set) const;
  Recipe recipe() const;
};

// How a network is trained.
struct TrainingOptions {
  std::optional<int> epochs;  // Instead of the recipe's.
  std::uint64_t seed = 1;
  int threads = 1;

  void apply_to(Recipe& recipe) const;
};

// Whether the test images of a data set are here; if not, a line on standard output says so.
bool has_test_images(const std::string& dataset, const DataOptions& options);

void add_data_option(CLI::App& verb, DataOptions& options);
void add_training_options(CLI::App& verb, TrainingOptions& options);
void add_run_options(CLI::App& verb, RunOptions& options);

// Seconds from an origin of this process, for what only reports time.
double seconds_now();

}  // namespace models
