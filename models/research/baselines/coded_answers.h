// What the s-CNN answers to images of which it saw only mixtures: ApproxIFER and NeRCC, baselines
// of the collage (curve_code.h).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "models/research/baselines/curve_code.h"
#include "models/research/baselines/smoothing_spline.h"
#include "models/research/data/dataset.h"

namespace models {

// Takes normalised images float [B, C, H, W], gives logits [B, classes].
using Scnn = std::function<torch::Tensor(const torch::Tensor&)>;

// Logits, size() x classes each.
struct CodedAnswers {
  std::vector<float> whole;      // With every coded answer there.
  std::vector<float> straggled;  // With one of each group missing, drawn at random.
};

// For the images of `data` in groups of code.queries() drawn from `seed`; images from the beginning
// fill up the last group.
CodedAnswers coded_answers(const Scnn& scnn, const Dataset& data, const CurveCode& code,
                           std::uint64_t seed);

// NeRCC's two parameters: of those of a grid the pair by which most of `data`, whose labels are
// known, are answered right with one answer of each group missing; of equal ones the smoothest.
// Requires data without which the code is not measured: never test images.
Smoothness choose_smoothness(const Scnn& scnn, const Dataset& data, int queries, int workers,
                             std::uint64_t seed);

}  // namespace models
