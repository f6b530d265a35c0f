// A picture in memory: 8 bits per sample, channels interleaved.
#pragma once

#include <cstdint>
#include <vector>

namespace imaging {

// Sample (row, column, channel) is pixels[(row * width + column) * channels + channel], 0..255 with
// black at 0.  One channel is grey; three channels are red, green and blue in sRGB.
struct Picture {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<std::uint8_t> pixels;

  friend bool operator==(const Picture&, const Picture&) = default;
};

}  // namespace imaging
