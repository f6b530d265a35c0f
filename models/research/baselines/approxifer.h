// ApproxIFER, a baseline of the collage: the s-CNN itself answers mixtures of images, and the
// answers to the images are interpolated from those to the mixtures that arrive (berrut.h).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "models/research/data/dataset.h"

namespace models {

// Logits, size() x classes each.
struct CodedAnswers {
  std::vector<float> whole;      // With every coded answer there.
  std::vector<float> straggled;  // With one of each group missing, drawn at random.
};

// For the images of `data` in groups of `queries` drawn from `seed`, with one mixture more than
// images; images from the beginning fill up the last group.  `scnn` takes normalised images float
// [B, C, H, W] and gives logits [B, classes].
CodedAnswers coded_answers(const std::function<torch::Tensor(const torch::Tensor&)>& scnn,
                           const Dataset& data, int queries, std::uint64_t seed);

}  // namespace models
