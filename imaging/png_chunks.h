// What the chunks of a PNG file say without its pixels: the size, and the orientation, which may
// stand in three kinds of chunk, before or behind the pixels.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "imaging/exif.h"

namespace imaging {

// Width and height in pixels, above 0.
struct PngSize {
  int width = 0;
  int height = 0;
};

// Null if there is no whole header with a size.  Requires a body that begins as PNG.
std::optional<PngSize> size_of_png(std::span<const std::uint8_t> body);

// Returns the orientation that the file's eXIf chunk gives, or else its text chunk `Raw profile
// type exif` (or APP1), in which ImageMagick and others write EXIF data as hexadecimal digits,
// plain (tEXt, iTXt) or compressed (zTXt, iTXt); 1 if there is none.  Requires a body that begins
// as PNG; what is damaged is skipped.  Inflates 256 KiB of text at most.
Orientation orientation_of_png(std::span<const std::uint8_t> body);

}  // namespace imaging
