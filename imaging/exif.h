// Reads the orientation from EXIF data, wherever a file keeps it.
#pragma once

#include <cstdint>
#include <span>

namespace imaging {

// How the pixels of a file must be turned to be upright, as EXIF numbers it:
//
//     1 upright  2 mirrored left to right  3 turned by 180 degrees  4 mirrored top to bottom
//     5 mirrored over the main diagonal    6 to be turned clockwise by 90 degrees
//     7 mirrored over the other diagonal   8 to be turned anticlockwise by 90 degrees
using Orientation = int;

inline constexpr Orientation kUpright = 1;

// Returns true if width and height change places when the pixels are turned.
constexpr bool lies(Orientation orientation) { return orientation >= 5; }

// Returns the orientation in the first directory of EXIF data, which may begin with "Exif\0\0"; 1
// if there is none, or none of 1 to 8, or the data is damaged before it.
Orientation orientation_of_exif(std::span<const std::uint8_t> exif);

}  // namespace imaging
