// Trains a GridNet, alone or from a teacher, so that an interrupted run can go on.
//
// A single is a collage of one tile, so there is one loop.  Every epoch:
//
//     tiles augmented afresh (and shown to the teacher) -> tilings drawn -> steps -> judged on
//     the held-back part -> checkpoint
//
// All randomness of epoch e comes from (seed, e), so a resumed run goes on as if uninterrupted.
// One seed repeats on one machine for one thread count.  No clock and no thread here: seconds()
// is handed in and only reported.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>

#include "models/architecture.h"
#include "models/augment.h"
#include "models/dataset.h"
#include "models/losses.h"
#include "models/nets.h"
#include "models/tile_pool.h"

namespace models {

struct Recipe {
  int epochs = 18;
  int batch_images = 128;      // Images a step; a collage counts for as many as it has slots.
  double learning_rate = 0.1;  // Peak of warm-up and cosine.
  double warm_up = 0.15;       // Share of the steps in which the rate rises.
  double momentum = 0.9;       // Nesterov.
  double weight_decay = 5e-4;  // Of convolutions and the linear layer only.
  double partial_share = 0.0;  // Share of the collages that have blank slots.
  int tile_epochs = 1;         // Epochs for which augmented tiles are kept, to save the teacher.
  bool bfloat16 = true;        // Mixed precision; judging is always in float.
  std::uint64_t seed = 1;
  LossPolicy loss;
  Augmentation augmentation;
};

// What the shipped weights were trained by.
Recipe single_recipe();
Recipe collage_recipe();

struct EpochReport {
  int epoch = 0;  // From 1.
  int epochs = 0;
  double loss = 0;
  double learning_rate = 0;
  double held_back_accuracy = 0;
  double best_accuracy = 0;
  double seconds = 0;  // This epoch's.
};

struct Hooks {
  std::function<double()> seconds;  // Any origin.
  std::function<void(const EpochReport&)> on_epoch;
  // Called now and then within an epoch with the share of it that is done.
  std::function<void(int epoch, double share)> on_progress;
};

// Trains `net`, going on from folder/checkpoint.pt if that is there, and leaves the epoch that did
// best on `held_back` in `net` and in folder/best.pt.  Returns that accuracy.  `teacher` may be
// empty.  Throws std::runtime_error if the checkpoint is of another architecture or recipe.
double train(GridNet& net, const Dataset& data, const Dataset& held_back, const Recipe& recipe,
             const Teacher& teacher, const std::filesystem::path& folder, const Hooks& hooks);

// Logits float [data.size(), classes], image by image; in collages, tilings are drawn from `seed`
// and all slots filled but the last collage's.  Leaves the network in evaluation mode.
torch::Tensor logits_of(GridNet& net, const Dataset& data, std::uint64_t seed);

// The share of rows whose largest logit is at its label.
double accuracy_of(const torch::Tensor& logits, const Dataset& data);

// Reads weights that train() left in best.pt.  Throws std::runtime_error naming the file.
void load_weights(GridNet& net, const std::filesystem::path& file);

}  // namespace models
