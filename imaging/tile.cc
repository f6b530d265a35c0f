#include "imaging/tile.h"

#include <algorithm>
#include <cstddef>

#include "wire/check.h"

namespace imaging {
namespace {

std::size_t canvas_bytes(const Grid& grid, int channels) {
  return static_cast<std::size_t>(grid.width()) * static_cast<std::size_t>(grid.height()) *
         static_cast<std::size_t>(channels);
}

}  // namespace

// Zeros are black, the colour of a blank slot.
std::vector<std::uint8_t> new_canvas(const Grid& grid, int channels) {
  COLLAGE_CHECK(valid(grid) && channels > 0);
  return std::vector<std::uint8_t>(canvas_bytes(grid, channels));
}

void paste(std::vector<std::uint8_t>& canvas, const Grid& grid, int channels, wire::Slot slot,
           const Picture& tile) {
  COLLAGE_CHECK(valid(grid) && slot < grid.slots());
  COLLAGE_CHECK(canvas.size() == canvas_bytes(grid, channels));
  COLLAGE_CHECK(tile.width == grid.tile_width && tile.height == grid.tile_height &&
                tile.channels == channels);
  const std::ptrdiff_t tile_stride = std::ptrdiff_t{tile.width} * channels;
  const std::ptrdiff_t canvas_stride = std::ptrdiff_t{grid.width()} * channels;
  COLLAGE_CHECK(tile.pixels.size() == static_cast<std::size_t>(tile_stride * tile.height));

  const std::ptrdiff_t top = std::ptrdiff_t{slot / grid.side} * grid.tile_height;
  const std::ptrdiff_t left = std::ptrdiff_t{slot % grid.side} * tile_stride;
  for (int row = 0; row < tile.height; ++row) {
    std::copy_n(tile.pixels.begin() + row * tile_stride, tile_stride,
                canvas.begin() + (top + row) * canvas_stride + left);
  }
}

}  // namespace imaging
