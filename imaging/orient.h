// Turns a tile upright.  Only the files of imaging/ include this header.
#pragma once

#include "imaging/exif.h"
#include "imaging/samples.h"

namespace imaging {

// Returns the samples as they are to be seen, given how they lie in the file.
Samples turned_upright(Samples samples, Orientation orientation);

}  // namespace imaging
