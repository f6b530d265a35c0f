// The shape of a tile, and the normalisation of its pixels.
#pragma once

#include <cstddef>
#include <vector>

namespace models {

// Tiles are 8-bit, interleaved: value (x, y, c) stands at (y * width + x) * channels + c.
struct TileShape {
  int width = 0;   // Pixels.
  int height = 0;  // Pixels.
  int channels = 0;
  std::size_t bytes() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(channels);
  }
  bool operator==(const TileShape&) const = default;
};

// Pixel p of channel c becomes (p / 255 - mean[c]) / deviation[c].
struct Normalisation {
  std::vector<double> mean;
  std::vector<double> deviation;
  bool operator==(const Normalisation&) const = default;
};

}  // namespace models
