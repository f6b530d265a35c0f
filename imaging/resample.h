// Resamples a picture: each pixel of the result is the weighted mean of a window of the source.
//
// The definition is Pillow's and torchvision's: a pixel is a square, the window is centred at the
// middle of the part of the source that a pixel of the result shows, and windows end at the edge.
// So a symmetric picture stays symmetric, and tiles agree with those that models are trained on.
// Our own because libvips' resizing shifts by up to half a pixel when it enlarges, rounds the crop
// to whole pixels, and differs by version; it works on integers, so every host gets equal values.
#pragma once

#include "imaging/geometry.h"
#include "imaging/preprocess.h"
#include "imaging/samples.h"

namespace imaging {

// Returns axis x.count x y.count samples of the same channels and coding, with the source's
// profile.  Requires windows that overlap the source.  Flat pictures stay flat, and a pixel that
// shows one whole pixel is copied.
Samples resample(const Samples& source, const Geometry& geometry, Interpolation interpolation,
                 bool antialias);

// Whether resample() would return the source as it is, whatever the interpolation.
bool is_copy(const Samples& source, const Geometry& geometry);

}  // namespace imaging
