// The training loss of singles and collages, slot by slot.
#pragma once

#include <torch/torch.h>

namespace models {

struct LossPolicy {
  double label_smoothing = 0.05;  // Share of a label's weight spread over all classes.
  double distill_share = 0.0;  // The teacher's share of the loss, 0..1; the labels have the rest.
  double distill_temperature = 2.0;
};

// Second labels of slots whose picture has a part of another pasted over it.
struct MixedLabels {
  torch::Tensor labels;  // int64 [N], classes only; undefined: no slot is mixed.
  torch::Tensor shares;  // float [N], the second label's weight, 0..1.
};

// Mean over slots.  `logits` float [N, C]; `labels` int64 [N], kBlank where the slot is blank and
// kUnlabelled where only the teacher has an answer; `teacher` float [N, C] logits, or undefined for
// none; `mixed` divides the weight of a label between the two labels of a mixed slot.
//
//     image slot: (1 - share) * CE(smoothed label) + share * T^2 * CE(teacher / T, logits / T)
//     unlabelled: T^2 * CE(teacher / T, logits / T), or 0 without a teacher
//     a teacher's row that is not finite is no answer: the slot counts as without a teacher
//     blank slot: CE(uniform): a blank slot has no class, so its target is uniform
//
// CE(p, z) = -sum p log softmax(z).  Distillation is that of Hinton et al. 2015; it differs from
// the Kullback-Leibler divergence by the teacher's entropy, which has no gradient.
torch::Tensor slot_loss(const torch::Tensor& logits, const torch::Tensor& labels,
                        const torch::Tensor& teacher, const LossPolicy& policy,
                        const MixedLabels& mixed = {});

}  // namespace models
