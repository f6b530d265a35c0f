// The geometry of a collage: where each slot's tile lies, and which cell a box belongs to.
//
// A grid of side 3 is nine cells, numbered by slot in rows from the top left:
//
//     0 1 2
//     3 4 5
//     6 7 8
//
// Pure functions of their arguments; lengths are pixels of the collage, x to the right and y
// downwards.
#pragma once

#include <optional>

#include "wire/types.h"

namespace imaging {

struct Grid {
  int side = 0;  // Cells in a row and in a column.
  int tile_width = 0;
  int tile_height = 0;

  int slots() const { return side * side; }
  int width() const { return side * tile_width; }
  int height() const { return side * tile_height; }

  friend bool operator==(const Grid&, const Grid&) = default;
};

// Whether the side is within the wire's limits and a tile has a pixel.
bool valid(const Grid& grid);

// The points x <= px < x + width, y <= py < y + height; empty unless both lengths are positive.
struct Rect {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  friend bool operator==(const Rect&, const Rect&) = default;
};

// The cell of a slot.  Requires slot < grid.slots().
Rect cell(const Grid& grid, wire::Slot slot);

// The area of the intersection over the area of the union (the Jaccard index), 0..1; 0 if
// either is empty or not finite.
double jaccard(const Rect& a, const Rect& b);

// The cell of largest Jaccard index with the box, the lowest slot among equals; nullopt if the
// box overlaps none.
std::optional<wire::Slot> cell_of(const Rect& box, const Grid& grid);

}  // namespace imaging
