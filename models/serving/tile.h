// The shape of a tile, and the normalisation of its pixels.
#pragma once

#include <cstddef>
#include <cstdint>
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

// The order of a network's channels; models that Caffe or OpenCV trained take blue first.
enum class ChannelOrder : std::uint8_t { rgb, bgr };

// Pixel p of the network's channel c becomes (p / 255 * range - mean[c]) / deviation[c].
struct Normalisation {
  std::vector<double> mean;
  std::vector<double> deviation;
  double range = 1;  // What white is before the mean is subtracted: 1 or, for Caffe's models, 255.
  ChannelOrder order = ChannelOrder::rgb;

  // Returns the channel of a picture that becomes channel c of the network.
  std::size_t source(std::size_t c) const {
    return order == ChannelOrder::bgr ? mean.size() - 1 - c : c;
  }
  bool operator==(const Normalisation&) const = default;
};

}  // namespace models
