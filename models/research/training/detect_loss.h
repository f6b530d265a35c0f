// The loss of a detect head (Redmon and Farhadi 2018), over the slots of collages.
#pragma once

#include <torch/torch.h>

#include "imaging/layout.h"
#include "models/research/training/losses.h"
#include "models/serving/heads/detect.h"

namespace models {

// The row of the raw output that is responsible for a slot: at the map place that holds the centre
// of its cell, the anchor most like a cell, the first among equals.
std::int64_t responsible_row(const DetectShape& shape, const imaging::Grid& grid, int slot);

// `raw` float [B, shape.rows(), 5 + classes]; `labels` int64 [B * slots], kBlank where there is no
// box; `teacher` float [B * slots, classes] or undefined.  Summed over a collage, mean over slots:
//
//     responsible rows  5 x ((sigmoid(tx) - x)^2 + (sigmoid(ty) - y)^2 + (tw - w)^2 + (th - h)^2)
//                       + the binary cross entropy of objectness with 1
//                       + slot_loss() of the class logits
//     other rows        the binary cross entropy of objectness with 0, unless their box overlaps a
//                       true one by more than half
//
// where x, y in 0..1 is the centre of the cell within its place and w, h the logarithm of the cell
// over the anchor.
torch::Tensor detect_loss(const torch::Tensor& raw, const torch::Tensor& labels,
                          const torch::Tensor& teacher, const DetectShape& shape,
                          const imaging::Grid& grid, const LossPolicy& policy);

}  // namespace models
