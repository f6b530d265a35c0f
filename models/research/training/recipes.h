// How the shipped weights were trained.
#pragma once

#include <string>

#include "models/training/tile_lesson.h"
#include "models/training/trainer.h"

namespace models {

struct Recipe {
  Descent descent;
  TilePolicy tiles;
};

// `dataset` is a name of dataset_names(), or anything else for a user's own pictures.
Recipe single_recipe(const std::string& dataset);

// The same for every grid of a data set, so that all its pupils share one teacher's
// answers.
Recipe collage_recipe(const std::string& dataset);

// For a detect head, which must find the tiles too.
Recipe detect_recipe(const std::string& dataset);

// A small single, from labels and the teacher: what a collage is compared with must have had the
// same lessons.
Recipe small_recipe(const std::string& dataset);

// A parity model: as many images a step as a single, regressed on the teacher alone.
Recipe parity_recipe(const std::string& dataset);

}  // namespace models
