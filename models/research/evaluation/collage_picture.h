// A collage with its answers, drawn for people.
//
//     +-------+ +-------+     each tile enlarged by a whole factor, nearest neighbour, and under it
//     | tile  | | tile  |       Sandal 97%   green: right
//     +-------+ +-------+       Coat 61%     red: wrong, with the truth in a second line
//     Sandal 97%  Coat 61%      was Shirt
//                 was Shirt     blank, or no answer: grey
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imaging/layout.h"
#include "imaging/picture.h"
#include "wire/types.h"

namespace models {

struct DrawnSlot {
  bool blank = false;  // The other fields are then ignored.
  std::optional<wire::ClassId> answer;
  double probability = 0;  // Of the answer, 0..1.
  int truth = -1;          // The class; negative where it is not known, which makes the ink black.
};

// RGB, with a white margin around each tile.  A tile's shorter side becomes kDrawnTileMin pixels or
// a little more; one that is longer already keeps its size.
//
// Requires a Library, a valid grid, a canvas of grid.height() x grid.width() x channels (1 or 3)
// bytes, a slot for each cell, row by row, and classes that have names.  Throws std::runtime_error
// for a name that cannot be drawn.
inline constexpr int kDrawnTileMin = 128;
imaging::Picture draw_collage(std::span<const std::uint8_t> canvas, const imaging::Grid& grid,
                              int channels, std::span<const DrawnSlot> slots,
                              const std::vector<std::string>& class_names);

}  // namespace models
