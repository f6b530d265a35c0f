// Finds the orientation of a PNG file, which may stand in three kinds of chunk, before or behind
// the pixels.
#pragma once

#include <cstdint>
#include <span>

#include "imaging/exif.h"

namespace imaging {

// Returns the orientation that the file's eXIf chunk gives, or else its text chunk `Raw profile
// type exif` (or APP1), in which ImageMagick and others write EXIF data as hexadecimal digits,
// plain (tEXt, iTXt) or compressed (zTXt, iTXt); 1 if there is none.  Requires a body that begins
// as PNG; what is damaged is skipped.  Inflates 256 KiB of text at most.
Orientation orientation_of_png(std::span<const std::uint8_t> body);

}  // namespace imaging
