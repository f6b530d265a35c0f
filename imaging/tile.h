// Makes a collage: pastes tiles into the cells of a blank canvas.
#pragma once

#include <cstdint>
#include <vector>

#include "imaging/layout.h"
#include "imaging/picture.h"
#include "wire/types.h"

namespace imaging {

// Returns a black canvas of grid.height() x grid.width() x channels bytes, interleaved like the
// pixels of a Picture.  A cell into which nothing is pasted stays black, that is, blank.  Requires
// a valid grid and channels > 0.
std::vector<std::uint8_t> new_canvas(const Grid& grid, int channels);

// Copies the tile into the cell of its slot; the other cells do not change.  Requires a canvas from
// new_canvas(grid, channels), slot < grid.slots(), and a tile of exactly the size of a cell with
// `channels` channels.
void paste(std::vector<std::uint8_t>& canvas, const Grid& grid, int channels, wire::Slot slot,
           const Picture& tile);

}  // namespace imaging
