#include "imaging/alpha.h"

#include <cstddef>

namespace imaging {
namespace {

// On black, what is darker than this on average is hardly seen.
constexpr std::uint64_t kDark = 32;

std::uint8_t grey_at(const std::uint8_t* pixel, int channels) {
  return channels == 1 ? pixel[0] : grey_of(pixel[0], pixel[1], pixel[2]);
}

// Returns true if what is not transparent is dark, on average: a black drawing, for instance.
bool is_dark(const std::uint8_t* pixels, const Samples& shape) {
  const std::size_t count =
      static_cast<std::size_t>(shape.width) * static_cast<std::size_t>(shape.height);
  const std::ptrdiff_t step = shape.channels + 1;
  std::uint64_t light = 0;
  std::uint64_t weight = 0;
  for (std::size_t i = 0; i < count; ++i, pixels += step) {
    const std::uint64_t alpha = pixels[shape.channels];
    light += alpha * grey_at(pixels, shape.channels);
    weight += alpha;
  }
  return light < kDark * weight;
}

Colour background_of(const std::uint8_t* pixels, const Samples& shape,
                     const Preprocess& preprocess) {
  if (preprocess.background == Background::colour) return preprocess.background_colour;
  return is_dark(pixels, shape) ? Colour{255, 255, 255} : Colour{0, 0, 0};
}

}  // namespace

void blend_alpha(const std::uint8_t* pixels, const Samples& out, const Preprocess& preprocess) {
  Colour background = background_of(pixels, out, preprocess);
  if (out.channels == 1) background[0] = grey_of(background);
  const std::size_t count =
      static_cast<std::size_t>(out.width) * static_cast<std::size_t>(out.height);
  std::uint8_t* to = out.pixels.get();
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned alpha = pixels[out.channels];
    for (std::size_t c = 0; c < static_cast<std::size_t>(out.channels); ++c) {
      const unsigned sum = alpha * *pixels++ + (255u - alpha) * background[c];
      *to++ = static_cast<std::uint8_t>((sum + 127u) / 255u);
    }
    ++pixels;  // Alpha.
  }
}

}  // namespace imaging
