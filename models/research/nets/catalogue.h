// The shapes that ship, by what they are for.  models/README.md has the table of sizes tried.
#pragma once

#include "models/research/data/dataset.h"
#include "models/research/nets/architecture.h"

namespace models {

// What a network sees: tiles of a shape, and how many classes it has.
struct Subject {
  TileShape tile;
  int classes = 0;
};

// The s-CNN for 28x28 grey (Fashion-MNIST), 32x32 colour (CIFAR-10) and 64x64 colour tiles
// (imagenet64).  Throws std::invalid_argument for other tiles: a user's own s-CNN comes as
// TorchScript.
Architecture single_architecture(const Subject& subject);

// A single of about 1/(side*side) of that s-CNN's multiply-accumulates: what one would try instead
// of a collage.  Side 2 to 5; throws as single_architecture().
Architecture small_architecture(const Subject& subject, int side);

// A collage of side x side tiles.  For the tiles above chosen to take no longer than their s-CNN
// at sides 2 and 3, and 1.3 and 1.5 times as long at most at 4 and 5; for others a shape of 3,000
// (large tiles) to 13,000 (small ones) multiply-accumulates a pixel.  Throws std::invalid_argument
// if the tile's sides are no multiples of 4.
Architecture collage_architecture(const Subject& subject, int side);

// The same subject by the paper's head: one trunk for every tile and side, dearer than that of the
// grid head.  Throws as collage_architecture().
Architecture detect_architecture(const Subject& subject, int side);

}  // namespace models
