#include "models/research/training/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "models/research/atomic_file.h"
#include "models/research/training/checkpoint.h"

namespace models {
namespace {

// Linear warm-up, then half a cosine or a line down to 0.
double rate_at(const Descent& descent, double progress) {
  if (progress < descent.warm_up) {
    // One per cent from the start, so that the first step is not wasted on a rate of 0.
    return descent.learning_rate * (progress / descent.warm_up + 0.01);
  }
  const double left = (progress - descent.warm_up) / (1 - descent.warm_up);
  if (descent.decay == Descent::Decay::linear) return descent.learning_rate * (1 - left);
  return descent.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * left));
}

// Weights decay; scales and shifts do not, and shifts may move faster.
struct Groups {
  std::vector<torch::Tensor> weights;
  std::vector<torch::Tensor> scales;
  std::vector<torch::Tensor> shifts;
};

Groups groups_of(GridNet& net) {
  Groups groups;
  for (const auto& item : net->named_parameters()) {
    const torch::Tensor& p = item.value();
    if (!p.requires_grad()) continue;
    const bool shift = std::string_view(item.key()).ends_with("bias");
    (p.dim() > 1 ? groups.weights : shift ? groups.shifts : groups.scales).push_back(p);
  }
  return groups;
}

torch::optim::SGD make_optimizer(GridNet& net, const Descent& descent) {
  const auto group = [&](std::vector<torch::Tensor> some, double decay) {
    return torch::optim::OptimizerParamGroup(
        std::move(some),
        std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(descent.learning_rate)
                                                       .momentum(descent.momentum)
                                                       .nesterov(true)
                                                       .weight_decay(decay)));
  };
  Groups groups = groups_of(net);
  return torch::optim::SGD({group(std::move(groups.weights), descent.weight_decay),
                            group(std::move(groups.scales), 0), group(std::move(groups.shifts), 0)},
                           torch::optim::SGDOptions(descent.learning_rate));
}

void set_rate(torch::optim::SGD& optimizer, const Descent& descent, double rate) {
  auto& groups = optimizer.param_groups();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const bool shifts = i + 1 == groups.size();
    static_cast<torch::optim::SGDOptions&>(groups[i].options())
        .lr(shifts ? rate * descent.shift_rate : rate);
  }
}

// The decay of the average after `step` steps.  It is small at first: with the full decay the
// initial weights would dominate the average for many epochs.
double average_decay(const Descent& descent, std::size_t step) {
  const auto steps = static_cast<double>(step);
  return std::min(descent.average, (1 + steps) / (10 + steps));
}

// Moves every number of `average` towards that of `net`; counters are copied.
void follow(GridNet& average, GridNet& net, double decay) {
  const torch::NoGradGuard no_grad;
  const auto move = [&](torch::Tensor& to, const torch::Tensor& from) {
    if (to.is_floating_point()) {
      to.lerp_(from, 1 - decay);
    } else {
      to.copy_(from);
    }
  };
  auto weights = average->parameters();
  auto buffers = average->buffers();
  const auto new_weights = net->parameters();
  const auto new_buffers = net->buffers();
  for (std::size_t i = 0; i < weights.size(); ++i) move(weights[i], new_weights[i]);
  for (std::size_t i = 0; i < buffers.size(); ++i) move(buffers[i], new_buffers[i]);
}

// Mean loss over the steps of an epoch.  `average` changes only if the descent has an average.
double run_epoch(GridNet& net, GridNet& average, TrainingTask& task, torch::optim::SGD& optimizer,
                 const Descent& descent, int epoch, const Hooks& hooks) {
  const std::size_t steps = task.begin(epoch);
  if (hooks.on_progress) hooks.on_progress(epoch + 1, 0);
  net->train();
  double sum = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(steps);
    set_rate(optimizer, descent, rate_at(descent, (epoch + share) / descent.epochs));
    const torch::Tensor loss = task.loss(net, i);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (descent.average > 0) {
      follow(average, net, average_decay(descent, static_cast<std::size_t>(epoch) * steps + i));
    }
    sum += loss.item<double>();
    const bool last = i + 1 == steps;
    if (hooks.on_progress && (i % 16 == 0 || last)) {
      hooks.on_progress(epoch + 1, static_cast<double>(i + 1) / static_cast<double>(steps));
    }
  }
  return sum / static_cast<double>(steps);
}

std::string fingerprint_of(const Architecture& a, const Descent& descent, const std::string& name) {
  std::ostringstream out;
  out << name << " " << a.name << " grid " << a.grid << " parameters " << parameter_count(a)
      << " mmac " << mmac(a) << " rate " << descent.learning_rate << " warm-up " << descent.warm_up
      << (descent.decay == Descent::Decay::linear ? " linear" : " cosine") << " momentum "
      << descent.momentum << " decay " << descent.weight_decay << " shifts " << descent.shift_rate;
  if (descent.average > 0) out << " average " << descent.average;
  return out.str();
}

// The memory format of assemble(): convolutions would otherwise reorder their input at every step.
void use_channels_last(GridNet& net) {
  for (torch::Tensor& p : net->parameters()) {
    if (p.dim() == 4) p.set_data(p.data().contiguous(at::MemoryFormat::ChannelsLast));
  }
}

}  // namespace

double train(GridNet& net, TrainingTask& task, const Descent& descent, const std::string& name,
             const std::filesystem::path& folder, const Hooks& hooks) {
  const std::string fingerprint = fingerprint_of(net->architecture(), descent, name);
  torch::optim::SGD optimizer = make_optimizer(net, descent);
  Checkpoint state;
  if (descent.average > 0) {
    state.average = GridNet(net->architecture(), 0);
    follow(state.average, net, 0);  // A copy.
  }
  if (std::filesystem::exists(folder / "checkpoint.pt")) {
    load_checkpoint(folder / "checkpoint.pt", fingerprint, net, optimizer, state);
  }
  GridNet& validated = state.average ? state.average : net;
  use_channels_last(net);
  use_channels_last(validated);
  for (int epoch = state.epoch; epoch < descent.epochs; ++epoch) {
    const double start = hooks.seconds();
    const double loss = run_epoch(net, validated, task, optimizer, descent, epoch, hooks);
    const double held_back = task.validate(validated);
    // Of equals the last, which was taught longest: few pictures are soon all right.
    if (held_back >= state.best) {
      state.best = held_back;
      write_by_rename(folder / "best.pt",
                      [&](const std::string& part) { torch::save(validated, part); });
    }
    // After best.pt: a run that is interrupted in between repeats this epoch and writes both again.
    state.epoch = epoch + 1;
    save_checkpoint(folder / "checkpoint.pt", fingerprint, net, optimizer, state);
    hooks.on_epoch({.epoch = epoch + 1,
                    .epochs = descent.epochs,
                    .loss = loss,
                    .learning_rate = rate_at(descent, static_cast<double>(epoch) / descent.epochs),
                    .held_back = held_back,
                    .best = state.best,
                    .seconds = hooks.seconds() - start});
  }
  load_weights(net, folder / "best.pt");
  return state.best;
}

void load_weights(GridNet& net, const std::filesystem::path& file) {
  try {
    torch::load(net, file.string());
  } catch (const c10::Error&) {
    throw std::runtime_error(file.string() + ": is damaged or of another architecture");
  }
}

}  // namespace models
