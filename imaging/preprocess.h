// How a picture becomes a tile, as a model was trained: a plain value.
//
// The defaults are what every model gets whose manifest has no `preprocess`.
#pragma once

#include <array>
#include <cstdint>

namespace imaging {

// Red, green and blue, 0..255; a grey tile takes the weighted grey of it.
using Colour = std::array<std::uint8_t, 3>;

// How the picture is fitted to the tile.
enum class Resize : std::uint8_t {
  cover,         // The largest part of the tile's shape around the centre fills the tile.
  shorter_side,  // The shorter side gets `shorter_side` pixels; the tile is cut from the centre.
  exact,         // Width and height are scaled each to the tile's; shapes are distorted.
  fit,           // The whole picture fits in the tile; `padding` fills what is left.
};

enum class Interpolation : std::uint8_t { bilinear, bicubic, lanczos, area };

enum class Background : std::uint8_t {
  visible,  // Black; white if what is not transparent would hardly be seen on black.
  colour,   // `background_colour`.
};

enum class Icc : std::uint8_t {
  srgb,     // A picture with a colour profile is converted to sRGB.
  ignored,  // The samples are taken as if they were sRGB.
};

struct Preprocess {
  Resize resize = Resize::cover;
  // For Resize::shorter_side, in pixels.  If the tile is larger, `padding` fills the rest.
  int shorter_side = 0;
  // The share of the picture's width and height, around its centre, that Resize::cover and
  // Resize::exact take; more than 0, at most 1.
  double crop = 1;
  Interpolation interpolation = Interpolation::bilinear;
  // Widens the filter to the reduction, as Pillow does and torchvision by default.  Without it a
  // filter reads the pixels next to a point only, as OpenCV's does.  Interpolation::area is always
  // antialiased.
  bool antialias = true;
  Colour padding{};
  Background background = Background::visible;
  Colour background_colour{};
  Icc icc = Icc::srgb;

  friend bool operator==(const Preprocess&, const Preprocess&) = default;
};

// The tile that a picture becomes.
struct Target {
  int width = 0;
  int height = 0;
  int channels = 0;         // 1 for grey, 3 for RGB.
  Preprocess preprocess{};  // How the picture gets this size.
};

}  // namespace imaging
