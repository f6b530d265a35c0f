// Converts the samples of a tile to grey or sRGB.  Only the files of imaging/ include this header.
#pragma once

#include "imaging/picture.h"
#include "imaging/samples.h"

namespace imaging {

// Returns a picture of that size with 1 or 3 channels.  A profile is applied in its relative
// colorimetric intent, unless it is damaged or of another kind of samples, or hardly changes them,
// as sRGB's own does.  CMYK without a profile is converted by the one that libvips brings.
Picture to_picture(const Samples& samples, int channels);

}  // namespace imaging
