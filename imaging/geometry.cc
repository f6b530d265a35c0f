#include "imaging/geometry.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace imaging {
namespace {

// `count` pixels that show `length` pixels of the source around the middle of `extent`.
Axis centred(double extent, double length, int count) {
  return {.begin = (extent - length) / 2, .scale = length / count, .count = count, .offset = 0};
}

// A source of `extent` pixels that is scaled to `scaled` pixels, of which the tile takes those in
// the middle; a larger tile is padded.  torchvision's CenterCrop rounds a half to the even pixel,
// and pads a pixel less at the beginning.
Axis cut(double extent, int scaled, int tile) {
  const double scale = extent / scaled;
  if (scaled <= tile) {
    return {.begin = 0, .scale = scale, .count = scaled, .offset = (tile - scaled) / 2};
  }
  const double begin = std::nearbyint((scaled - tile) / 2.0);
  return {.begin = begin * scale, .scale = scale, .count = tile, .offset = 0};
}

Geometry by_shorter_side(int width, int height, int tile_width, int tile_height, int side) {
  const int shorter = std::min(width, height);
  // torchvision rounds the longer side down.
  const auto scaled = [&](int length) {
    return static_cast<int>(static_cast<std::int64_t>(side) * length / shorter);
  };
  return {.x = cut(width, scaled(width), tile_width),
          .y = cut(height, scaled(height), tile_height)};
}

Geometry fitted(int width, int height, int tile_width, int tile_height) {
  const double scale =
      std::max(static_cast<double>(width) / tile_width, static_cast<double>(height) / tile_height);
  const auto axis = [&](int length, int tile) {
    const int scaled = std::clamp(static_cast<int>(std::lround(length / scale)), 1, tile);
    Axis whole = cut(length, scaled, tile);
    // Pillow's ImageOps.pad rounds a half to the even pixel, too.
    whole.offset = static_cast<int>(std::nearbyint((tile - scaled) / 2.0));
    return whole;
  };
  return {.x = axis(width, tile_width), .y = axis(height, tile_height)};
}

Axis mirrored(const Axis& axis, int extent) {
  Axis out = axis;
  out.begin = extent - (axis.begin + axis.count * axis.scale);
  return out;
}

}  // namespace

Geometry geometry_of(int width, int height, int tile_width, int tile_height,
                     const Preprocess& preprocess) {
  switch (preprocess.resize) {
    case Resize::cover: {
      const double scale = preprocess.crop * std::min(static_cast<double>(width) / tile_width,
                                                      static_cast<double>(height) / tile_height);
      return {.x = centred(width, tile_width * scale, tile_width),
              .y = centred(height, tile_height * scale, tile_height)};
    }
    case Resize::exact:
      return {.x = centred(width, width * preprocess.crop, tile_width),
              .y = centred(height, height * preprocess.crop, tile_height)};
    case Resize::shorter_side:
      return by_shorter_side(width, height, tile_width, tile_height, preprocess.shorter_side);
    case Resize::fit:
      break;
  }
  return fitted(width, height, tile_width, tile_height);
}

Geometry lying(const Geometry& upright, Orientation orientation, int width, int height) {
  Geometry out = upright;
  out.x.offset = out.y.offset = 0;
  // Mirrored in the upright picture: 2, 3, 6 and 7 from left to right, 3, 4, 7 and 8 from top to
  // bottom.
  if (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7) {
    out.x = mirrored(out.x, width);
  }
  if (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8) {
    out.y = mirrored(out.y, height);
  }
  if (lies(orientation)) std::swap(out.x, out.y);
  return out;
}

Geometry shrunk(const Geometry& geometry, int shrink) {
  Geometry out = geometry;
  for (Axis* axis : {&out.x, &out.y}) {
    axis->begin /= shrink;
    axis->scale /= shrink;
  }
  return out;
}

}  // namespace imaging
