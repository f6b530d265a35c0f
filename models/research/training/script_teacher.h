// A TorchScript single as a teacher.
#pragma once

#include <filesystem>

#include "models/manifest.h"
#include "models/training/tile_pool.h"

namespace models {

// Loads the weights that the manifest names.  `answers` is where what it says may be kept; a
// folder for each version is made in it; empty: nowhere.  Throws std::runtime_error with one line
// that names the file: not a single, weights missing, not of the manifest's hash, not TorchScript,
// or an output that is not one logit a class.
Teacher script_teacher(const Manifest& manifest, const std::filesystem::path& answers);

}  // namespace models
