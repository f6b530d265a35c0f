// A line of text as a picture, for captions that people read.
#pragma once

#include <string>

#include "imaging/picture.h"

namespace imaging {

// How much of each pixel the ink covers, 0..255: one channel, `height` rows from the top of the
// line to its bottom, so that lines of one height share a baseline, and as wide as the ink needs.
// `line` is UTF-8 and stands for itself, markup or not; what lies outside the line's height is cut
// off.  The font is DejaVu Sans, or what the system has in its stead.
//
// Requires a Library and height > 0; may be called on any thread.  Throws std::runtime_error for
// text that has no ink or is not UTF-8.
Picture text(const std::string& line, int height);

}  // namespace imaging
