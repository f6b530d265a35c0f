#include "models/serving/heads/decode.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/serving/heads/finite.h"
#include "wire/check.h"

namespace models {

std::vector<std::optional<std::size_t>> best_boxes(std::span<const Box> boxes,
                                                   const imaging::Grid& grid) {
  std::vector<std::optional<std::size_t>> best(static_cast<std::size_t>(grid.slots()));
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (!std::isfinite(boxes[i].score)) continue;
    const std::optional<wire::Slot> slot = imaging::cell_of(boxes[i].rect, grid);
    if (!slot) continue;
    std::optional<std::size_t>& place = best[*slot];
    if (!place || boxes[i].score > boxes[*place].score) place = i;
  }
  return best;
}

std::vector<std::optional<SlotAnswer>> decode_boxes(std::span<const Box> boxes,
                                                    const imaging::Grid& grid) {
  std::vector<std::optional<SlotAnswer>> answers;
  for (const std::optional<std::size_t>& i : best_boxes(boxes, grid)) {
    answers.emplace_back();
    if (i) answers.back() = {.label = boxes[*i].label, .score = boxes[*i].score};
  }
  return answers;
}

std::vector<wire::Predictions> decode_grid(std::span<const float> probabilities,
                                           const std::vector<bool>& blank, std::size_t top_k) {
  COLLAGE_CHECK(!blank.empty() && probabilities.size() % blank.size() == 0);
  const std::size_t classes = probabilities.size() / blank.size();
  std::vector<wire::Predictions> cells;
  for (std::size_t slot = 0; slot < blank.size(); ++slot) {
    const auto row = probabilities.subspan(slot * classes, classes);
    cells.push_back(blank[slot] || says_blank(row) ? wire::Predictions{} : top_of(row, top_k));
  }
  return cells;
}

bool says_blank(std::span<const float> probabilities) {
  if (!all_finite(probabilities)) return false;
  const double chance = 1.0 / static_cast<double>(probabilities.size());
  constexpr double kMarginMax = 0.1;  // For few classes; for many, as much as chance itself.
  return *std::ranges::max_element(probabilities) < chance + std::min(kMarginMax, chance);
}

wire::Predictions top_of(std::span<const float> probabilities, std::size_t top_k) {
  if (!all_finite(probabilities)) return {};
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t count = std::min(top_k, order.size());
  const auto before = [&](std::size_t a, std::size_t b) {
    if (probabilities[a] != probabilities[b]) return probabilities[a] > probabilities[b];
    return a < b;
  };
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(count), before);
  wire::Predictions best;
  for (std::size_t i = 0; i < count; ++i) {
    best.push_back({.label = {order[i]}, .probability = probabilities[order[i]]});
  }
  return best;
}

}  // namespace models
