#include "imaging/layout.h"

#include <algorithm>
#include <cmath>

#include "wire/check.h"

namespace imaging {

bool valid(const Grid& grid) {
  return grid.side >= wire::kGridSideMin && grid.side <= wire::kGridSideMax &&
         grid.tile_width > 0 && grid.tile_height > 0;
}

Rect cell(const Grid& grid, wire::Slot slot) {
  COLLAGE_CHECK(slot < grid.slots());
  const int row = slot / grid.side;
  const int column = slot % grid.side;
  return {.x = static_cast<double>(column * grid.tile_width),
          .y = static_cast<double>(row * grid.tile_height),
          .width = static_cast<double>(grid.tile_width),
          .height = static_cast<double>(grid.tile_height)};
}

double jaccard(const Rect& a, const Rect& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  const double both = width * height;
  const double either = a.width * a.height + b.width * b.height - both;
  // Each comparison is false for NaN, so that a NaN in either rectangle gives no overlap.
  const bool overlap = width > 0 && height > 0 && std::isfinite(both) && std::isfinite(either);
  return overlap ? both / either : 0;
}

std::optional<wire::Slot> cell_of(const Rect& box, const Grid& grid) {
  std::optional<wire::Slot> best;
  double best_index = 0;
  for (int slot = 0; slot < grid.slots(); ++slot) {
    const auto candidate = static_cast<wire::Slot>(slot);
    const double index = jaccard(box, cell(grid, candidate));
    if (index > best_index) {  // Not >=, so that the lowest slot wins among equals.
      best = candidate;
      best_index = index;
    }
  }
  return best;
}

}  // namespace imaging
