// The samples of a file as its decoder returns them, before they become a tile.  Only the files of
// imaging/ include this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace imaging {

enum class Coding : std::uint8_t { grey, rgb, cmyk };

// 8 bits a sample, channels interleaved, rows without padding.
struct Samples {
  int width = 0;
  int height = 0;
  int channels = 0;  // 1, 3 or 4, as the coding has; alpha has been blended.
  Coding coding = Coding::rgb;
  std::unique_ptr<std::uint8_t[]> pixels;  // Not a vector, which would write zeros first.
  std::vector<std::uint8_t> icc;           // The profile of the file; empty if it has none.

  std::size_t stride() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  }
  std::size_t bytes() const { return stride() * static_cast<std::size_t>(height); }
  std::uint8_t* row(int y) const { return pixels.get() + static_cast<std::size_t>(y) * stride(); }
};

// Returns samples of that size with pixels of no particular value.
inline Samples new_samples(int width, int height, int channels, Coding coding) {
  Samples samples{width, height, channels, coding, nullptr, {}};
  samples.pixels = std::make_unique_for_overwrite<std::uint8_t[]>(samples.bytes());
  return samples;
}

}  // namespace imaging
