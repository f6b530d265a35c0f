// Trains a network on a lesson, so that an interrupted run can go on.
//
//     lesson.begin(epoch) -> steps -> lesson.judge() -> checkpoint
//
// All randomness of epoch e comes from (seed, e), so a resumed run goes on as if uninterrupted.
// One seed repeats on one machine for one thread count.  No clock and no thread here: seconds()
// is handed in and only reported.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "models/nets/grid_net.h"

namespace models {

// What is learned, and how well: the data, the loss, and the judgement on what was held back.
class Lesson {
 public:
  virtual ~Lesson() = default;
  // Draws what epoch `epoch` (from 0) shows; returns how many steps it has, at least one.
  virtual std::size_t begin(int epoch) = 0;
  // The loss of a step of that epoch, a scalar; the network is in training mode.
  virtual torch::Tensor loss(GridNet& net, std::size_t step) = 0;
  // How good the network is on what was held back; more is better.  Leaves it in evaluation mode.
  virtual double judge(GridNet& net) = 0;
};

// How a network is moved: stochastic gradient descent with Nesterov's momentum.
struct Descent {
  int epochs = 18;
  double learning_rate = 0.1;  // Peak of warm-up and cosine.
  double warm_up = 0.15;       // Share of the steps in which the rate rises.
  double momentum = 0.9;
  double weight_decay = 5e-4;  // Of convolutions and the linear layer only.
  double shift_rate = 1;       // The rate of shifts (biases) is as many times as large.
};

struct EpochReport {
  int epoch = 0;  // From 1.
  int epochs = 0;
  double loss = 0;
  double learning_rate = 0;
  double held_back = 0;  // lesson.judge() after this epoch.
  double best = 0;
  double seconds = 0;  // This epoch's.
};

struct Hooks {
  std::function<double()> seconds;  // Any origin.
  std::function<void(const EpochReport&)> on_epoch;
  // Called now and then within an epoch with the share of it that is done.
  std::function<void(int epoch, double share)> on_progress;
};

// Trains `net`, going on from folder/checkpoint.pt if that is there, and leaves the epoch that was
// judged best in `net` and in folder/best.pt.  Returns that judgement.  `name` tells this run from
// others.  Throws std::runtime_error if the checkpoint is of another architecture, descent or name;
// the number of epochs may differ, a run may be cut short or drawn out, and the schedule follows.
double train(GridNet& net, Lesson& lesson, const Descent& descent, const std::string& name,
             const std::filesystem::path& folder, const Hooks& hooks);

// Reads weights that train() left in best.pt.  Throws std::runtime_error naming the file.
void load_weights(GridNet& net, const std::filesystem::path& file);

}  // namespace models
