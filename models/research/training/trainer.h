// Trains a network on a task; an interrupted run can resume.
//
//     task.begin(epoch) -> steps -> task.validate() -> checkpoint
//
// All randomness of epoch e comes from (seed, e), so a resumed run repeats an uninterrupted one.
// One seed repeats on one machine for one thread count.  No clock and no thread here: seconds()
// is handed in and only reported.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "models/research/nets/grid_net.h"

namespace models {

// What a network learns: the data, the loss, and the validation on held-back pictures.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;
  // Draws the tiles and tilings of epoch `epoch` (from 0); returns its number of steps, at least 1.
  virtual std::size_t begin(int epoch) = 0;
  // The loss of a step of that epoch, a scalar; the network is in training mode.
  virtual torch::Tensor loss(GridNet& net, std::size_t step) = 0;
  // The accuracy on the held-back pictures, 0..1.  Leaves the network in evaluation mode.
  virtual double validate(GridNet& net) = 0;
};

// Stochastic gradient descent with Nesterov momentum.
struct Descent {
  // How the rate falls after the warm-up, down to 0 at the end.
  enum class Decay : std::uint8_t { cosine, linear };

  int epochs = 18;
  double learning_rate = 0.1;  // Peak of the schedule: linear warm-up, then decay.
  double warm_up = 0.15;       // Share of all steps in which the rate rises.
  double momentum = 0.9;
  double weight_decay = 5e-4;  // Applies to convolutions and the linear layer only.
  double shift_rate = 1;       // Factor on the rate of shifts (biases).
  Decay decay = Decay::cosine;
  // Above 0, an exponential average of the weights, with this decay a step, is validated and kept
  // (Polyak and Juditsky 1992); 0: the weights themselves.
  double average = 0;
};

struct EpochReport {
  int epoch = 0;  // From 1.
  int epochs = 0;
  double loss = 0;
  double learning_rate = 0;
  double held_back = 0;  // task.validate() after this epoch.
  double best = 0;
  double seconds = 0;  // Duration of this epoch.
};

struct Hooks {
  std::function<double()> seconds;  // The time, from any origin.
  std::function<void(const EpochReport&)> on_epoch;
  // Called when an epoch's tiles are made, with share 0, and every few steps and after the last
  // with the share of the epoch that is done.
  std::function<void(int epoch, double share)> on_progress;
};

// Trains `net`, resuming from folder/checkpoint.pt if that exists, and leaves the epoch that was
// validated best in `net` and in folder/best.pt.  Returns that accuracy.  `name` tells this run
// from others.  Throws std::runtime_error if the checkpoint is of another architecture, descent or
// name; the number of epochs may differ: the schedule of a resumed run then follows the new
// number.
double train(GridNet& net, TrainingTask& task, const Descent& descent, const std::string& name,
             const std::filesystem::path& folder, const Hooks& hooks);

// Reads weights that train() left in best.pt.  Throws std::runtime_error naming the file.
void load_weights(GridNet& net, const std::filesystem::path& file);

}  // namespace models
