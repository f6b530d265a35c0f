#include "models/research/training/losses.h"

#include "models/research/data/dataset.h"
#include "models/research/data/tiling.h"

namespace models {
namespace {

torch::Tensor cross_entropy(const torch::Tensor& targets, const torch::Tensor& logits) {
  return -(targets * torch::log_softmax(logits, 1)).sum(1);
}

}  // namespace

torch::Tensor slot_loss(const torch::Tensor& logits, const torch::Tensor& labels,
                        const torch::Tensor& teacher, const LossPolicy& policy,
                        const MixedLabels& mixed) {
  const std::int64_t classes = logits.size(1);
  const torch::Tensor blank = labels.eq(kBlank);
  const torch::Tensor unlabelled = labels.eq(kUnlabelled);
  const auto type = logits.scalar_type();
  torch::Tensor one_hot = torch::one_hot(labels.clamp_min(0), classes).to(type);
  if (mixed.labels.defined()) {
    const torch::Tensor second = torch::one_hot(mixed.labels, classes).to(type);
    one_hot = torch::lerp(one_hot, second, mixed.shares.to(type).unsqueeze(1).expand_as(one_hot));
  }
  const torch::Tensor spread =
      torch::where(blank, 1.0, policy.label_smoothing).to(type).unsqueeze(1);
  const torch::Tensor targets = one_hot * (1 - spread) + spread / static_cast<double>(classes);
  torch::Tensor loss = cross_entropy(targets, logits).masked_fill(unlabelled, 0);
  if (teacher.defined() && policy.distill_share > 0) {
    const double t = policy.distill_temperature;
    const torch::Tensor answered = teacher.isfinite().all(1);
    const torch::Tensor scores = teacher.masked_fill(answered.logical_not().unsqueeze(1), 0);
    const torch::Tensor distilled =
        t * t * cross_entropy(torch::softmax(scores / t, 1), logits / t);
    const torch::Tensor share =
        torch::where(unlabelled, 1.0, policy.distill_share).to(type) * answered.to(type);
    loss = torch::where(blank, loss, (1 - share) * loss + share * distilled);
  }
  return loss.mean();
}

}  // namespace models
