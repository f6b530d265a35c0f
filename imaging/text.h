// Renders a line of text as a picture, for captions.
#pragma once

#include <string>

#include "imaging/picture.h"

namespace imaging {

// Returns the coverage of each pixel by ink, 0..255, as a picture with one channel.  It has
// `height` rows from the top of the line to its bottom, so that lines of one height share a
// baseline, and is as wide as the ink.  `line` is UTF-8; markup in it is printed as text.  Ink
// outside the line's height is cut off.  The font is DejaVu Sans, or the system's substitute for
// it.
//
// Requires a Library and height > 0; may be called on any thread.  Throws std::runtime_error for
// text that has no ink or is not UTF-8.
Picture text(const std::string& line, int height);

}  // namespace imaging
