#include "models/research/training/tile_task.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "models/research/data/batch_tensors.h"
#include "models/research/data/tiling.h"
#include "models/research/training/bfloat16.h"
#include "models/research/training/detect_loss.h"
#include "models/serving/heads/detect.h"
#include "wire/check.h"

namespace models {
namespace {

// Images in one forward pass of an evaluation: whole collages of sides 1 to 4.
constexpr std::size_t kEvaluationImages = 288;

std::size_t slots_of(const GridNet& net) {
  return static_cast<std::size_t>(net->architecture().slots());
}

// A row of class logits for each slot of each collage, [collages * slots, classes].
torch::Tensor slot_rows(const torch::Tensor& output, const Architecture& a) {
  if (a.head == Head::grid) return output.reshape({-1, a.classes});
  const torch::Tensor raw = output.to(torch::kFloat).contiguous();
  const DetectShape shape = detect_shape(a);
  const imaging::Grid grid = a.layout();
  const auto count = static_cast<std::size_t>(raw.numel() / raw.size(0));
  torch::Tensor rows = torch::empty({raw.size(0) * a.slots(), a.classes});
  auto* out = rows.data_ptr<float>();
  for (std::int64_t i = 0; i < raw.size(0); ++i) {
    const auto* begin = raw.data_ptr<float>() + static_cast<std::ptrdiff_t>(i * raw.stride(0));
    const std::vector<float> some = slot_logits({begin, count}, shape, grid);
    out = std::ranges::copy(some, out).out;
  }
  return rows;
}

// The middle of each picture of a batch, `share` of its sides.
torch::Tensor middle(const torch::Tensor& input, double share) {
  if (share == 1) return input;
  const auto cut = [&](const torch::Tensor& from, std::int64_t axis) {
    const std::int64_t whole = from.size(axis);
    const auto part = static_cast<std::int64_t>(std::llround(static_cast<double>(whole) * share));
    return from.narrow(axis, (whole - part) / 2, part);
  };
  return cut(cut(input, 2), 3);
}

// The second labels of the images in `tilings`; share 0 at blank slots.
MixedLabels mixed_labels(const TilePool& pool, std::span<const std::int64_t> tilings) {
  if (pool.pasted.empty()) return {};
  const auto slots = static_cast<std::int64_t>(tilings.size());
  MixedLabels mixed{torch::zeros({slots}, torch::kLong), torch::zeros({slots})};
  for (std::int64_t i = 0; i < slots; ++i) {
    const std::int64_t image = tilings[static_cast<std::size_t>(i)];
    if (image == kBlank) continue;
    const Pasted& pasted = pool.pasted[static_cast<std::size_t>(image)];
    mixed.labels.data_ptr<std::int64_t>()[i] = pasted.label;
    mixed.shares.data_ptr<float>()[i] = pasted.share;
  }
  return mixed;
}

}  // namespace

std::string settings_text(const TilePolicy& policy) {
  std::ostringstream out;
  out << "batch" << policy.batch_images << "-partial" << policy.partial_share;
  for (const TilePolicy::Middle& m : policy.middles) out << "-middle" << m.share << "_" << m.before;
  const LossPolicy& loss = policy.loss;
  out << "-smooth" << loss.label_smoothing << "-distill" << loss.distill_share << "_"
      << loss.distill_temperature << settings_text(policy.pool);
  out << "-kept" << policy.pool.tile_epochs << "_" << policy.pool.rotation;
  return out.str();
}

TileTask::TileTask(const Pictures& data, const Pictures& held_back, int grid,
                   const TilePolicy& policy, Teacher teacher)
    : data_(data),
      held_back_(held_back),
      grid_(grid),
      policy_(policy),
      pools_(data, policy.pool, std::move(teacher)) {
  COLLAGE_CHECK(policy_.middles.empty() || grid_ == 1);
  COLLAGE_CHECK(std::ranges::is_sorted(policy_.middles, {}, &TilePolicy::Middle::before));
}

std::size_t TileTask::begin(int epoch) {
  pool_ = &pools_.at(epoch);
  const auto middle = std::ranges::find_if(
      policy_.middles, [&](const TilePolicy::Middle& m) { return epoch < m.before; });
  share_ = middle == policy_.middles.end() ? 1 : middle->share;
  machine::Rng rng = stream_of(policy_.pool.seed, Stream::tilings, epoch);
  const auto slots = static_cast<std::size_t>(grid_ * grid_);
  tilings_ = draw_tilings(data_.tiles->size(), slots, policy_.partial_share, rng);
  const std::size_t collages =
      std::max<std::size_t>(1, static_cast<std::size_t>(policy_.batch_images) / slots);
  step_slots_ = collages * slots;
  const std::size_t steps = tilings_.size() / step_slots_;  // A last short batch is left out.
  if (steps == 0) throw std::runtime_error("fewer images than one training step takes");
  return steps;
}

torch::Tensor TileTask::loss(GridNet& net, std::size_t step) {
  const auto tilings = std::span(tilings_).subspan(step * step_slots_, step_slots_);
  const Dataset& data = *data_.tiles;
  const torch::Tensor input =
      middle(assemble(pool_->pixels, data.shape, data.normalisation, tilings, grid_), share_);
  torch::Tensor output;
  {
    const Bfloat16Scope scope(policy_.pool.bfloat16);
    output = net->forward(input);
  }
  output = output.to(torch::kFloat);
  const torch::Tensor labels = gather_labels(pool_->labels, tilings);
  const torch::Tensor teacher = teacher_logits_of(*pool_, tilings);
  const Architecture& a = net->architecture();
  if (a.head == Head::detect) {
    return detect_loss(output, labels, teacher, detect_shape(a), a.layout(), policy_.loss);
  }
  return slot_loss(output.reshape({-1, a.classes}), labels, teacher, policy_.loss,
                   mixed_labels(*pool_, tilings));
}

double TileTask::validate(GridNet& net) {
  if (truths_.empty()) truths_ = labels_or_teacher_classes(held_back_, pools_.teacher());
  return accuracy_of(logits_of(net, *held_back_.tiles, policy_.pool.seed), truths_);
}

void fit_stem(GridNet& net, const Dataset& data) {
  // 5,000 pictures of 32x32: enough for a covariance of 12x12, and their patches take 0.5 GB.
  constexpr std::size_t kStemPixels = 5000 * 32 * 32;
  const auto pixels = static_cast<std::size_t>(data.shape.width * data.shape.height);
  std::vector<std::int64_t> some(std::min(kStemPixels / pixels, data.size()));
  std::iota(some.begin(), some.end(), std::int64_t{0});
  net->fit_stem(assemble(data.pixels, data.shape, data.normalisation, some, 1));
}

torch::Tensor logits_of(GridNet& net, const Dataset& data, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  net->eval();
  machine::Rng rng(seed);
  const std::size_t slots = slots_of(net);
  const std::vector<std::int64_t> tilings = draw_tilings(data.size(), slots, 0, rng);
  const Architecture& a = net->architecture();
  torch::Tensor all = torch::zeros({static_cast<std::int64_t>(data.size()), a.classes});
  const std::size_t step = kEvaluationImages / slots * slots;
  for (std::size_t begin = 0; begin < tilings.size(); begin += step) {
    const auto some = std::span(tilings).subspan(begin, std::min(step, tilings.size() - begin));
    const torch::Tensor logits = slot_rows(
        net->forward(assemble(data.pixels, data.shape, data.normalisation, some, a.grid)), a);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (some[i] != kBlank) all[some[i]] = logits[static_cast<std::int64_t>(i)];
    }
  }
  return all;
}

double accuracy_of(const torch::Tensor& logits, std::span<const int> labels) {
  const torch::Tensor truths =
      torch::tensor(std::vector<std::int64_t>(labels.begin(), labels.end()));
  const torch::Tensor answered = logits.isnan().any(1).logical_not();
  return logits.argmax(1).eq(truths).logical_and(answered).to(torch::kDouble).mean().item<double>();
}

}  // namespace models
