#include "models/run_options.h"
#include "runtime/clock.h"

namespace models {

std::string RunOptions::file_stem() const {
  const std::string side = std::to_string(grid);
  return kind() == Kind::single ? "fashion_single" : "fashion_collage_" + side + "x" + side;
}

std::filesystem::path RunOptions::run_folder() const {
  return run.empty() ? std::filesystem::path("build/train") / file_stem() : run;
}

Architecture RunOptions::architecture(const Dataset& data_set) const {
  const int tile = data_set.shape.width;
  const int channels = data_set.shape.channels;
  const int classes = static_cast<int>(data_set.class_names.size());
  return kind() == Kind::single ? single_architecture(tile, channels, classes)
                                : collage_architecture(grid, tile, channels, classes);
}

void add_run_options(CLI::App& verb, RunOptions& options) {
  verb.add_option("--model", options.model, "single (one image) or collage (grid x grid images)")
      ->check(CLI::IsMember({"single", "collage"}))
      ->capture_default_str();
  verb.add_option("--grid", options.grid, "Tiles a side of a collage, 2 to 5")
      ->check(CLI::Range(2, 5))
      ->capture_default_str();
  verb.add_option("--data", options.data, "Folder of the Fashion-MNIST IDX files")
      ->capture_default_str();
  verb.add_option("--run", options.run, "Folder of the training run (default build/train/<model>)");
}

double seconds_now() { return wire::to_seconds(runtime::now().since_start); }

}  // namespace models
