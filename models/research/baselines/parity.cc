#include "models/research/baselines/parity.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "models/research/data/batch_tensors.h"
#include "models/research/data/tiling.h"
#include "models/research/training/bfloat16.h"
#include "models/research/training/tile_task.h"
#include "wire/check.h"

namespace models {
namespace {

constexpr std::int64_t kEvaluationGroups = 128;  // In one forward pass of the parity model.

// The input of the parity model for `groups`, indices of k images each.
torch::Tensor parity_input(ParityCode code, std::span<const std::uint8_t> pixels,
                           const Dataset& data, std::span<const std::int64_t> groups, int k) {
  const torch::Tensor images = assemble(pixels, data.shape, data.normalisation, groups, 1);
  return encode_parity(code, images.unflatten(0, {-1, k}));
}

}  // namespace

ParityCode parity_code_of(std::string_view name) {
  COLLAGE_CHECK(name == "addition" || name == "concatenation");
  return name == "addition" ? ParityCode::addition : ParityCode::concatenation;
}

torch::Tensor encode_parity(ParityCode code, const torch::Tensor& images) {
  if (code == ParityCode::addition) return images.sum(1);
  COLLAGE_CHECK(images.size(1) == 4 && images.size(3) % 2 == 0 && images.size(4) % 2 == 0);
  const torch::Tensor halves =
      torch::avg_pool2d(images.flatten(0, 1), 2).unflatten(0, {images.size(0), 4});
  const auto row = [&](std::int64_t left) {
    return torch::cat({halves.select(1, left), halves.select(1, left + 1)}, 3);
  };
  return torch::cat({row(0), row(2)}, 2);
}

torch::Tensor decode_parity(const torch::Tensor& parity, const torch::Tensor& answers) {
  return parity.unsqueeze(1) - (answers.sum(1, true) - answers);
}

torch::Tensor recovered_logits(const std::function<torch::Tensor(const torch::Tensor&)>& model,
                               const torch::Tensor& answers, const Dataset& data, ParityCode code,
                               int k, std::uint64_t seed) {
  COLLAGE_CHECK(k >= 1 && data.size() > 0);
  COLLAGE_CHECK(answers.size(0) == static_cast<std::int64_t>(data.size()));
  const torch::NoGradGuard no_grad;
  machine::Rng rng(seed);
  const std::vector<std::int64_t> order =
      draw_groups(data.size(), static_cast<std::size_t>(k), rng);
  torch::Tensor all = torch::empty_like(answers);
  const auto step = static_cast<std::size_t>(kEvaluationGroups * k);
  for (std::size_t begin = 0; begin < order.size(); begin += step) {
    const auto some = std::span(order).subspan(begin, std::min(step, order.size() - begin));
    const torch::Tensor indices =
        torch::tensor(std::vector<std::int64_t>(some.begin(), some.end()));
    const torch::Tensor parity = model(parity_input(code, data.pixels, data, some, k));
    const torch::Tensor known = answers.index_select(0, indices).unflatten(0, {-1, k});
    const torch::Tensor recovered = decode_parity(parity.to(torch::kFloat), known).flatten(0, 1);
    const auto first = static_cast<std::int64_t>(std::min(some.size(), data.size() - begin));
    all.index_copy_(0, indices.slice(0, 0, first), recovered.slice(0, 0, first));
  }
  return all;
}

ParityTask::ParityTask(const Pictures& data, const Pictures& held_back, const ParityPolicy& policy,
                       Teacher teacher)
    : data_(data),
      held_back_(held_back),
      policy_(policy),
      pools_(data, policy.pool, std::move(teacher)) {
  COLLAGE_CHECK(policy_.k >= 1 && policy_.batch_images >= policy_.k);
  COLLAGE_CHECK(static_cast<bool>(pools_.teacher()));
}

std::size_t ParityTask::begin(int epoch) {
  pool_ = &pools_.at(epoch);
  machine::Rng rng = stream_of(policy_.pool.seed, Stream::tilings, epoch);
  groups_ = draw_groups(data_.tiles->size(), static_cast<std::size_t>(policy_.k), rng);
  const std::size_t steps = data_.tiles->size() / step_images();
  if (steps == 0) throw std::runtime_error("fewer images than one training step takes");
  return steps;
}

torch::Tensor ParityTask::loss(GridNet& net, std::size_t step) {
  const auto groups = std::span(groups_).subspan(step * step_images(), step_images());
  const torch::Tensor input =
      parity_input(policy_.code, pool_->pixels, *data_.tiles, groups, policy_.k);
  torch::Tensor output;
  {
    const Bfloat16Scope scope(policy_.pool.bfloat16);
    output = net->forward(input);
  }
  const torch::Tensor target =
      teacher_logits_of(*pool_, groups).unflatten(0, {-1, policy_.k}).sum(1);
  return torch::mse_loss(output.to(torch::kFloat), target);
}

double ParityTask::validate(GridNet& net) {
  net->eval();
  if (!held_back_answers_.defined()) {
    held_back_answers_ = teacher_logits(pools_.teacher(), unchanged(held_back_), false);
  }
  const auto model = [&](const torch::Tensor& input) { return net->forward(input); };
  const torch::Tensor recovered = recovered_logits(model, held_back_answers_, *held_back_.tiles,
                                                   policy_.code, policy_.k, policy_.pool.seed);
  return accuracy_of(recovered, held_back_.tiles->labels);
}

}  // namespace models
