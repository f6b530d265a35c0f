// imagenet64: 100 classes of ImageNet (Deng et al. 2009) at 64x64 pixels, cut down from Tiny
// ImageNet.
#pragma once

#include "models/research/data/dataset.h"

namespace models {

// Name, shape, classes (in alphabetical order) and normalisation of imagenet64; no pictures.
Dataset imagenet64_without_pictures();

}  // namespace models
