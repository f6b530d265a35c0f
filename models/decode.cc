#include "models/decode.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "wire/check.h"

namespace models {

std::vector<std::optional<SlotAnswer>> decode_boxes(std::span<const Box> boxes,
                                                    const imaging::Grid& grid) {
  std::vector<std::optional<SlotAnswer>> answers(static_cast<std::size_t>(grid.slots()));
  for (const Box& box : boxes) {
    if (!std::isfinite(box.score)) continue;
    const std::optional<wire::Slot> slot = imaging::cell_of(box.rect, grid);
    if (!slot) continue;
    std::optional<SlotAnswer>& answer = answers[*slot];
    if (!answer || box.score > answer->score) answer = {.label = box.label, .score = box.score};
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
    cells.push_back(blank[slot] ? wire::Predictions{} : top_of(row, top_k));
  }
  return cells;
}

wire::Predictions top_of(std::span<const float> probabilities, std::size_t top_k) {
  if (!std::ranges::all_of(probabilities, [](float p) { return std::isfinite(p); })) return {};
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
