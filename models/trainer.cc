#include "models/trainer.h"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "models/checkpoint.h"
#include "models/feed.h"
#include "models/tiling.h"

namespace models {
namespace {

constexpr std::size_t kEvaluationImages = 288;

// Convolutions in bfloat16 while it lives; losses and weights stay in float.
class Bfloat16Scope {
 public:
  explicit Bfloat16Scope(bool on) : on_(on) {
    if (!on_) return;
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(true);
  }
  ~Bfloat16Scope() {
    if (!on_) return;
    at::autocast::clear_cache();
    at::autocast::set_cpu_enabled(false);
  }
  Bfloat16Scope(const Bfloat16Scope&) = delete;
  Bfloat16Scope& operator=(const Bfloat16Scope&) = delete;

 private:
  bool on_;
};

enum class Stream : std::uint64_t { tiles, tilings };

wire::Rng stream_of(std::uint64_t seed, Stream stream, int epoch) {
  wire::Rng rng(seed);
  const std::uint64_t salt = rng.next();
  return wire::Rng(salt ^
                   (static_cast<std::uint64_t>(epoch) * 2 + static_cast<std::uint64_t>(stream)));
}

// Linear warm-up, then half a cosine down to nought.
double rate_at(const Recipe& recipe, double progress) {
  if (progress < recipe.warm_up) return recipe.learning_rate * (progress / recipe.warm_up + 0.01);
  const double left = (progress - recipe.warm_up) / (1 - recipe.warm_up);
  return recipe.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * left));
}

torch::optim::SGD make_optimizer(GridNet& net, const Recipe& recipe) {
  std::vector<torch::Tensor> decayed;
  std::vector<torch::Tensor> free;
  for (const torch::Tensor& p : net->parameters()) (p.dim() > 1 ? decayed : free).push_back(p);
  const auto options = [&](double decay) {
    return std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(recipe.learning_rate)
                                                          .momentum(recipe.momentum)
                                                          .nesterov(true)
                                                          .weight_decay(decay));
  };
  return torch::optim::SGD(
      {torch::optim::OptimizerParamGroup(decayed, options(recipe.weight_decay)),
       torch::optim::OptimizerParamGroup(free, options(0))},
      torch::optim::SGDOptions(recipe.learning_rate));
}

void set_rate(torch::optim::SGD& optimizer, double rate) {
  for (auto& group : optimizer.param_groups()) {
    static_cast<torch::optim::SGDOptions&>(group.options()).lr(rate);
  }
}

// One epoch of steps; returns the mean loss.
class Epoch {
 public:
  Epoch(GridNet& net, torch::optim::SGD& optimizer, const Dataset& data, const Recipe& recipe,
        const TilePool& pool)
      : net_(net), optimizer_(optimizer), data_(data), recipe_(recipe), pool_(pool) {}

  double run(int epoch, const Hooks& hooks) {
    wire::Rng rng = stream_of(recipe_.seed, Stream::tilings, epoch);
    const int grid = net_->architecture().grid;
    const auto slots = static_cast<std::size_t>(grid * grid);
    const std::vector<std::int64_t> tilings =
        draw_tilings(data_.size(), slots, recipe_.partial_share, rng);
    const std::size_t collages =
        std::max<std::size_t>(1, static_cast<std::size_t>(recipe_.batch_images) / slots);
    const std::size_t step_slots = collages * slots;
    const std::size_t steps = tilings.size() / step_slots;  // A last short batch is left out.
    if (steps == 0) throw std::runtime_error("fewer images than one training step takes");
    net_->train();
    double sum = 0;
    for (std::size_t i = 0; i < steps; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(steps);
      set_rate(optimizer_, rate_at(recipe_, (epoch + share) / recipe_.epochs));
      sum += step(std::span(tilings).subspan(i * step_slots, step_slots), grid);
      if (hooks.on_progress && i % 16 == 0) hooks.on_progress(epoch + 1, share);
    }
    return sum / static_cast<double>(steps);
  }

 private:
  double step(std::span<const std::int64_t> tilings, int grid) {
    const torch::Tensor input =
        assemble(pool_.pixels, data_.shape, data_.normalisation, tilings, grid);
    torch::Tensor logits;
    {
      const Bfloat16Scope scope(recipe_.bfloat16);
      logits = net_->forward(input);
    }
    logits = logits.to(torch::kFloat).reshape({-1, net_->architecture().classes});
    const torch::Tensor loss = slot_loss(logits, gather_labels(data_.labels, tilings),
                                         teacher_of(pool_, tilings), recipe_.loss);
    optimizer_.zero_grad();
    loss.backward();
    optimizer_.step();
    return loss.item<double>();
  }

  GridNet& net_;
  torch::optim::SGD& optimizer_;
  const Dataset& data_;
  const Recipe& recipe_;
  const TilePool& pool_;
};

// Tells a checkpoint of another run from one of this.  The number of epochs is left out: a run may
// be cut short or drawn out, and the schedule follows.
std::string fingerprint_of(const Architecture& a, const Recipe& recipe) {
  std::ostringstream out;
  out << a.name << " grid " << a.grid << " parameters " << parameter_count(a) << " mmac " << mmac(a)
      << " seed " << recipe.seed << " batch " << recipe.batch_images << " rate "
      << recipe.learning_rate;
  return out.str();
}

void use_channels_last(GridNet& net) {
  for (torch::Tensor& p : net->parameters()) {
    if (p.dim() == 4) p.set_data(p.data().contiguous(at::MemoryFormat::ChannelsLast));
  }
}

}  // namespace

Recipe single_recipe() { return {}; }

Recipe collage_recipe() {
  Recipe recipe;
  recipe.epochs = 40;
  recipe.batch_images = 144;
  recipe.weight_decay = 2e-4;  // A small network that sees every image nine ways hardly overfits.
  recipe.partial_share = 0.1;
  recipe.tile_epochs = 6;
  recipe.loss = {.label_smoothing = 0.0, .distill_share = 0.8, .distill_temperature = 2.0};
  recipe.augmentation.erase = 0.15;
  return recipe;
}

double train(GridNet& net, const Dataset& data, const Dataset& held_back, const Recipe& recipe,
             const Teacher& teacher, const std::filesystem::path& folder, const Hooks& hooks) {
  const std::string fingerprint = fingerprint_of(net->architecture(), recipe);
  torch::optim::SGD optimizer = make_optimizer(net, recipe);
  Checkpoint state;
  if (std::filesystem::exists(folder / "checkpoint.pt")) {
    state = load_checkpoint(folder / "checkpoint.pt", fingerprint, net, optimizer);
  }
  use_channels_last(net);
  TilePool pool;
  int pool_draw = -1;
  for (int epoch = state.epoch; epoch < recipe.epochs; ++epoch) {
    const double start = hooks.seconds();
    if (pool_draw != epoch / recipe.tile_epochs) {
      pool_draw = epoch / recipe.tile_epochs;
      pool = make_tiles(data, recipe.augmentation, teacher,
                        stream_of(recipe.seed, Stream::tiles, pool_draw));
    }
    const double loss = Epoch(net, optimizer, data, recipe, pool).run(epoch, hooks);
    const double accuracy = accuracy_of(logits_of(net, held_back, recipe.seed), held_back);
    if (accuracy > state.best_accuracy) {
      state.best_accuracy = accuracy;
      write_by_rename(folder / "best.pt", [&](const std::string& part) { torch::save(net, part); });
    }
    state.epoch = epoch + 1;
    save_checkpoint(folder / "checkpoint.pt", fingerprint, net, optimizer, state);
    hooks.on_epoch({.epoch = epoch + 1,
                    .epochs = recipe.epochs,
                    .loss = loss,
                    .learning_rate = rate_at(recipe, static_cast<double>(epoch) / recipe.epochs),
                    .held_back_accuracy = accuracy,
                    .best_accuracy = state.best_accuracy,
                    .seconds = hooks.seconds() - start});
  }
  load_weights(net, folder / "best.pt");
  return state.best_accuracy;
}

torch::Tensor logits_of(GridNet& net, const Dataset& data, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  net->eval();
  wire::Rng rng(seed);
  const int grid = net->architecture().grid;
  const auto slots = static_cast<std::size_t>(grid * grid);
  const std::vector<std::int64_t> tilings = draw_tilings(data.size(), slots, 0, rng);
  const std::int64_t classes = net->architecture().classes;
  torch::Tensor all = torch::zeros({static_cast<std::int64_t>(data.size()), classes});
  const std::size_t step = kEvaluationImages / slots * slots;
  for (std::size_t begin = 0; begin < tilings.size(); begin += step) {
    const auto some = std::span(tilings).subspan(begin, std::min(step, tilings.size() - begin));
    const torch::Tensor logits =
        net->forward(assemble(data.pixels, data.shape, data.normalisation, some, grid))
            .reshape({-1, classes});
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (some[i] != kBlank) all[some[i]] = logits[static_cast<std::int64_t>(i)];
    }
  }
  return all;
}

double accuracy_of(const torch::Tensor& logits, const Dataset& data) {
  const torch::Tensor labels = torch::tensor(data.labels, torch::kLong);
  return logits.argmax(1).eq(labels).to(torch::kDouble).mean().item<double>();
}

void load_weights(GridNet& net, const std::filesystem::path& file) {
  try {
    torch::load(net, file.string());
  } catch (const c10::Error&) {
    throw std::runtime_error(file.string() + ": is damaged or of another architecture");
  }
}

}  // namespace models
