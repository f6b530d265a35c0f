#include "models/serving/heads/detect.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/serving/heads/finite.h"
#include "wire/check.h"

namespace models {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The largest class and its share of the softmax.
std::pair<std::size_t, double> likeliest(std::span<const float> logits) {
  const auto best = std::ranges::max_element(logits);
  double sum = 0;
  for (const float z : logits) sum += std::exp(static_cast<double>(z) - *best);
  return {static_cast<std::size_t>(best - logits.begin()), 1 / sum};
}

imaging::Rect rect_of(std::span<const float> row, std::size_t place, const Side& anchor,
                      const DetectShape& shape) {
  const auto column = static_cast<double>(place % static_cast<std::size_t>(shape.map_width));
  const auto line = static_cast<double>(place / static_cast<std::size_t>(shape.map_width));
  const double width = anchor.width * std::exp(static_cast<double>(row[2]));
  const double height = anchor.height * std::exp(static_cast<double>(row[3]));
  const double x = (column + sigmoid(row[0])) * shape.stride.width;
  const double y = (line + sigmoid(row[1])) * shape.stride.height;
  return {.x = x - width / 2, .y = y - height / 2, .width = width, .height = height};
}

}  // namespace

std::vector<Detection> detections(std::span<const float> raw, const DetectShape& shape) {
  COLLAGE_CHECK(raw.size() == shape.rows() * shape.row());
  std::vector<Detection> found;
  for (std::size_t i = 0; i < shape.rows(); ++i) {
    const auto row = raw.subspan(i * shape.row(), shape.row());
    if (!all_finite(row)) continue;
    const double objectness = sigmoid(row[4]);
    if (objectness < shape.score_min) continue;
    const auto [label, share] = likeliest(row.subspan(5));
    const double score = objectness * share;
    if (score < shape.score_min) continue;
    const std::size_t anchors = shape.anchors.size();
    found.push_back({.box = {.rect = rect_of(row, i / anchors, shape.anchors[i % anchors], shape),
                             .label = {label},
                             .score = static_cast<float>(score)},
                     .row = i});
  }
  return found;
}

std::vector<Detection> suppress(std::vector<Detection> boxes, double overlap_max) {
  std::ranges::stable_sort(boxes, std::ranges::greater{},
                           [](const Detection& d) { return d.box.score; });
  std::vector<Detection> kept;
  for (const Detection& one : boxes) {
    const bool covered = std::ranges::any_of(kept, [&](const Detection& better) {
      return better.box.label == one.box.label &&
             imaging::jaccard(better.box.rect, one.box.rect) > overlap_max;
    });
    if (!covered) kept.push_back(one);
  }
  return kept;
}

std::vector<float> slot_logits(std::span<const float> raw, const DetectShape& shape,
                               const imaging::Grid& grid) {
  const std::vector<Detection> kept = suppress(detections(raw, shape), shape.overlap_max);
  std::vector<Box> boxes;
  for (const Detection& one : kept) boxes.push_back(one.box);
  const auto classes = static_cast<std::size_t>(shape.classes);
  std::vector<float> rows(static_cast<std::size_t>(grid.slots()) * classes,
                          std::numeric_limits<float>::quiet_NaN());
  const std::vector<std::optional<std::size_t>> best = best_boxes(boxes, grid);
  for (std::size_t slot = 0; slot < best.size(); ++slot) {
    if (!best[slot]) continue;
    const auto row = raw.subspan(kept[*best[slot]].row * shape.row() + 5, classes);
    std::ranges::copy(row, rows.begin() + static_cast<std::ptrdiff_t>(slot * classes));
  }
  return rows;
}

}  // namespace models
