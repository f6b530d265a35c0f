// Blends what is transparent over a background.  Only the files of imaging/ include this header.
#pragma once

#include <cstdint>

#include "imaging/preprocess.h"
#include "imaging/samples.h"

namespace imaging {

// `pixels` holds the channels of `out` (1 or 3) and then alpha, 255 for opaque, for each pixel;
// fills the pixels of `out`.
void blend_alpha(const std::uint8_t* pixels, const Samples& out, const Preprocess& preprocess);

// Returns 0.299 R + 0.587 G + 0.114 B, rounded; in integers, so that every host gets equal values.
constexpr std::uint8_t grey_of(unsigned red, unsigned green, unsigned blue) {
  return static_cast<std::uint8_t>((299u * red + 587u * green + 114u * blue + 500u) / 1000u);
}
constexpr std::uint8_t grey_of(const Colour& colour) {
  return grey_of(colour[0], colour[1], colour[2]);
}

}  // namespace imaging
