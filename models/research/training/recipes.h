// The hyperparameters by which the shipped weights were trained.
#pragma once

#include <string>

#include "models/research/training/tile_task.h"
#include "models/research/training/trainer.h"

namespace models {

struct Recipe {
  Descent descent;
  TilePolicy tiles;
};

// `dataset` is a name of dataset_names(), or anything else for a user's own pictures.
Recipe single_recipe(const std::string& dataset);

// The same for every grid of a data set, so that all its students share the teacher's cached
// logits.
Recipe collage_recipe(const std::string& dataset);

// For a detect head, which must also locate the tiles.
Recipe detect_recipe(const std::string& dataset);

// A small single, distilled as the collages are, so that only the architecture differs between a
// collage and its baseline.
Recipe small_recipe(const std::string& dataset);

// A parity model: as many images a step as a single, regressed on the teacher alone.
Recipe parity_recipe(const std::string& dataset);

}  // namespace models
