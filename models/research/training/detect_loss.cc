#include "models/research/training/detect_loss.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/research/data/tiling.h"

namespace models {
namespace {

// As in YOLO: boxes weigh five times as much as objectness (Redmon et al. 2016), and a row whose
// box overlaps a true one by more than half is not trained to be empty (Redmon and Farhadi 2018).
constexpr double kBoxWeight = 5;
constexpr double kIgnoreOverlap = 0.5;

struct Place {
  int column = 0;
  int line = 0;
  double x = 0;  // Of the centre within the place, 0..1.
  double y = 0;
};

// The place of the map that holds the centre of a slot's cell.
Place place_of(const DetectShape& shape, const imaging::Grid& grid, int slot) {
  const imaging::Rect cell = imaging::cell(grid, static_cast<wire::Slot>(slot));
  const double x = (cell.x + cell.width / 2) / shape.stride.width;
  const double y = (cell.y + cell.height / 2) / shape.stride.height;
  const int column = std::min(static_cast<int>(x), shape.map_width - 1);
  const int line = std::min(static_cast<int>(y), shape.map_height - 1);
  return {.column = column, .line = line, .x = x - column, .y = y - line};
}

std::size_t anchor_of(const DetectShape& shape, const imaging::Grid& grid) {
  const imaging::Rect cell{.x = 0,
                           .y = 0,
                           .width = static_cast<double>(grid.tile_width),
                           .height = static_cast<double>(grid.tile_height)};
  std::size_t best = 0;
  double most = -1;
  for (std::size_t i = 0; i < shape.anchors.size(); ++i) {
    const Side& side = shape.anchors[i];
    const double overlap =
        imaging::jaccard(cell, {.x = 0, .y = 0, .width = side.width, .height = side.height});
    if (overlap > most) {
      most = overlap;
      best = i;
    }
  }
  return best;
}

// [slots, 4]: x, y, log width and log height that the responsible rows should predict.
torch::Tensor box_targets(const DetectShape& shape, const imaging::Grid& grid) {
  const Side& anchor = shape.anchors[anchor_of(shape, grid)];
  torch::Tensor targets = torch::empty({grid.slots(), 4});
  for (int slot = 0; slot < grid.slots(); ++slot) {
    const Place place = place_of(shape, grid, slot);
    targets[slot][0] = place.x;
    targets[slot][1] = place.y;
    targets[slot][2] = std::log(grid.tile_width / anchor.width);
    targets[slot][3] = std::log(grid.tile_height / anchor.height);
  }
  return targets;
}

// [rows] of one column of numbers that each row needs to know of itself.
template <class Of>
torch::Tensor per_row(const DetectShape& shape, Of of) {
  std::vector<float> values;
  for (std::size_t row = 0; row < shape.rows(); ++row)
    values.push_back(static_cast<float>(of(row)));
  return torch::tensor(values);
}

// Whether a row's box overlaps a true one by more than half, bool [B, rows].
torch::Tensor overlapping(const torch::Tensor& raw, const torch::Tensor& filled,
                          const DetectShape& shape, const imaging::Grid& grid) {
  const std::size_t anchors = shape.anchors.size();
  const auto columns = static_cast<std::size_t>(shape.map_width);
  const torch::Tensor column = per_row(shape, [&](std::size_t r) { return r / anchors % columns; });
  const torch::Tensor line = per_row(shape, [&](std::size_t r) { return r / anchors / columns; });
  const torch::Tensor width =
      per_row(shape, [&](std::size_t r) { return shape.anchors[r % anchors].width; }) *
      raw.select(2, 2).exp();
  const torch::Tensor height =
      per_row(shape, [&](std::size_t r) { return shape.anchors[r % anchors].height; }) *
      raw.select(2, 3).exp();
  const torch::Tensor x = (column + raw.select(2, 0).sigmoid()) * shape.stride.width;
  const torch::Tensor y = (line + raw.select(2, 1).sigmoid()) * shape.stride.height;
  torch::Tensor any = torch::zeros(x.sizes(), torch::kBool);
  for (int slot = 0; slot < grid.slots(); ++slot) {
    const imaging::Rect cell = imaging::cell(grid, static_cast<wire::Slot>(slot));
    const torch::Tensor across =
        ((x + width / 2).clamp_max(cell.x + cell.width) - (x - width / 2).clamp_min(cell.x))
            .clamp_min(0);
    const torch::Tensor down =
        ((y + height / 2).clamp_max(cell.y + cell.height) - (y - height / 2).clamp_min(cell.y))
            .clamp_min(0);
    const torch::Tensor common = across * down;
    const torch::Tensor overlap = common / (width * height + cell.width * cell.height - common);
    any =
        any.logical_or(overlap.gt(kIgnoreOverlap).logical_and(filled.select(1, slot).unsqueeze(1)));
  }
  return any;
}

}  // namespace

std::int64_t responsible_row(const DetectShape& shape, const imaging::Grid& grid, int slot) {
  const Place place = place_of(shape, grid, slot);
  return (static_cast<std::int64_t>(place.line) * shape.map_width + place.column) *
             static_cast<std::int64_t>(shape.anchors.size()) +
         static_cast<std::int64_t>(anchor_of(shape, grid));
}

torch::Tensor detect_loss(const torch::Tensor& raw, const torch::Tensor& labels,
                          const torch::Tensor& teacher, const DetectShape& shape,
                          const imaging::Grid& grid, const LossPolicy& policy) {
  const std::int64_t slots = grid.slots();
  const torch::Tensor filled = labels.reshape({-1, slots}).ne(kBlank);
  std::vector<std::int64_t> rows;
  for (int slot = 0; slot < slots; ++slot) rows.push_back(responsible_row(shape, grid, slot));
  const torch::Tensor row_of_slot = torch::tensor(rows);
  const torch::Tensor mine = raw.index_select(1, row_of_slot);  // [B, slots, 5 + classes]

  const torch::Tensor predicted =
      torch::cat({mine.slice(2, 0, 2).sigmoid(), mine.slice(2, 2, 4)}, 2);
  const torch::Tensor box = (predicted - box_targets(shape, grid)).square().sum(2);
  const torch::Tensor object = torch::softplus(-mine.select(2, 4));
  const torch::Tensor places = (kBoxWeight * box + object) * filled;

  torch::Tensor silent;
  {
    const torch::NoGradGuard no_grad;
    torch::Tensor true_row = torch::zeros({filled.size(0), raw.size(1)}, torch::kBool);
    true_row.index_copy_(1, row_of_slot, filled);
    silent = true_row.logical_or(overlapping(raw, filled, shape, grid)).logical_not();
  }
  const torch::Tensor nothing = torch::softplus(raw.select(2, 4)) * silent;

  const torch::Tensor kept = filled.flatten().nonzero().flatten();
  const torch::Tensor classes = mine.slice(2, 5).flatten(0, 1).index_select(0, kept);
  const torch::Tensor class_loss =
      slot_loss(classes, labels.index_select(0, kept),
                teacher.defined() ? teacher.index_select(0, kept) : teacher, policy);
  return class_loss +
         (places.sum() + nothing.sum()) / std::max<double>(1, filled.sum().item<double>());
}

}  // namespace models
