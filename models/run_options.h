// What the verbs of collage-train share: which model is meant, and where its parts lie.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "models/architecture.h"
#include "models/dataset.h"
#include "models/manifest.h"

namespace models {

inline constexpr std::size_t kHeldBack = 5000;  // Training images kept for choosing.

struct RunOptions {
  std::string model = "single";
  int grid = 3;  // Of a collage.
  std::filesystem::path data = fashion_mnist_folder();
  std::filesystem::path run;  // Empty: the usual folder of the model.

  Kind kind() const { return model == "single" ? Kind::single : Kind::collage; }
  int side() const { return kind() == Kind::single ? 1 : grid; }
  std::string file_stem() const;             // "fashion_single", "fashion_collage_3x3".
  std::filesystem::path run_folder() const;  // build/train/<file_stem> unless told.
  Architecture architecture(const Dataset& data_set) const;
};

void add_run_options(CLI::App& verb, RunOptions& options);

// Seconds from an origin of this process, for what only reports time.
double seconds_now();

}  // namespace models
