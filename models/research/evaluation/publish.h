// From a trained network to what a stage can load: TorchScript weights and a measured manifest.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "models/research/data/dataset.h"
#include "models/research/nets/grid_net.h"
#include "models/serving/manifest.h"

namespace models {

struct Publication {
  std::string name;  // Of the manifest and the weights, without a suffix.
  Kind kind = Kind::single;
  std::string parity_code{};  // Of a parity model.
  int parity_images = 0;
  bool mirror = true;            // Whether training mirrors tiles.
  bool reflect = false;          // Whether training repeats a tile in reverse beyond its border.
  Origin origin;                 // Seed, command, threads, held_back_accuracy; the rest is filled.
  std::filesystem::path folder;  // Gets <name>.yaml and weights/<name>.pt.
};

// Exports, calibrates on `held_back` with every picture shifted at random and perhaps mirrored, as
// in training (as they are, they resemble the training set more than what will be served), measures
// on `test` if there is one, and writes both files; they appear together at the end, by rename.
// Both data sets need labels and tiles of the network's shape.  A parity model's outputs are no
// classes, so it is neither calibrated nor measured.  Returns the manifest as load_manifest() would
// give it.
Manifest publish(GridNet& net, const Publication& publication, const Dataset& held_back,
                 const std::optional<Dataset>& test);

}  // namespace models
