// Which part of a picture becomes which pixels of a tile.
//
// Pure, and exact: lengths are numbers, not whole pixels, so that a symmetric picture gives a
// symmetric tile.  x and y are independent; both are an Axis.
#pragma once

#include "imaging/exif.h"
#include "imaging/preprocess.h"

namespace imaging {

// Pixel offset + i of the tile, 0 <= i < count, shows the source from begin + i * scale to
// begin + (i + 1) * scale.  Other pixels of the tile are padding.
struct Axis {
  double begin = 0;  // In pixels of the source.
  double scale = 1;  // Source pixels for one pixel of the tile.
  int count = 0;
  int offset = 0;

  friend bool operator==(const Axis&, const Axis&) = default;
};

struct Geometry {
  Axis x;
  Axis y;

  friend bool operator==(const Geometry&, const Geometry&) = default;
};

// Returns the geometry for an upright source of width x height pixels and a tile of tile_width x
// tile_height, all positive.
Geometry geometry_of(int width, int height, int tile_width, int tile_height,
                     const Preprocess& preprocess);

// Returns the geometry in the pixels as they lie in a file of that orientation: resampled by it and
// then turned upright, they are what the upright geometry of the upright picture gives.  `width`
// and `height` are those of the upright picture.  Offsets are 0.
Geometry lying(const Geometry& upright, Orientation orientation, int width, int height);

// Returns the geometry for the same source at 1/shrink of its size, whose pixels each show shrink x
// shrink pixels of it.
Geometry shrunk(const Geometry& geometry, int shrink);

}  // namespace imaging
