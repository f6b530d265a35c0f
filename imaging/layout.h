// The geometry of a collage: the cell of each slot, and the cell to which a box belongs.
//
// A grid of side 3 is nine cells, numbered by slot in rows from the top left:
//
//     0 1 2
//     3 4 5
//     6 7 8
//
// All functions are pure.  Lengths are in pixels of the collage, x to the right and y downwards.
#pragma once

#include <optional>

#include "wire/types.h"

namespace imaging {

struct Grid {
  int side = 0;  // The number of cells in a row and in a column.
  int tile_width = 0;
  int tile_height = 0;

  int slots() const { return side * side; }
  int width() const { return side * tile_width; }
  int height() const { return side * tile_height; }

  friend bool operator==(const Grid&, const Grid&) = default;
};

// Returns true if the side is within the wire's limits and a tile has at least one pixel.
bool valid(const Grid& grid);

// The points x <= px < x + width, y <= py < y + height; empty unless both lengths are positive.
struct Rect {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  friend bool operator==(const Rect&, const Rect&) = default;
};

// Returns the cell of a slot.  Requires slot < grid.slots().
Rect cell(const Grid& grid, wire::Slot slot);

// Returns the Jaccard index: the area of the intersection divided by the area of the union, 0..1; 0
// if either rectangle is empty or not finite.
double jaccard(const Rect& a, const Rect& b);

// Returns the cell with the largest Jaccard index with the box, the lowest slot among equals;
// nullopt if the box overlaps no cell.
std::optional<wire::Slot> cell_of(const Rect& box, const Grid& grid);

}  // namespace imaging
