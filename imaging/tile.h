// A collage in the making: tiles pasted into the cells of a blank canvas.
#pragma once

#include <cstdint>
#include <vector>

#include "imaging/layout.h"
#include "imaging/picture.h"
#include "wire/types.h"

namespace imaging {

// A black canvas of grid.height() x grid.width() x channels bytes, interleaved as a Picture's
// pixels are.  A cell that is never pasted into stays black, which is what blank means.
// Requires a valid grid and channels > 0.
std::vector<std::uint8_t> new_canvas(const Grid& grid, int channels);

// Copies the tile into the cell of its slot and leaves the other cells as they are.  Requires a
// canvas of new_canvas(grid, channels), slot < grid.slots() and a tile of exactly the size of a
// cell with as many channels.
void paste(std::vector<std::uint8_t>& canvas, const Grid& grid, int channels, wire::Slot slot,
           const Picture& tile);

}  // namespace imaging
