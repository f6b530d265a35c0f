// Data augmentation: a training tile is mirrored, cropped, shifted, and partly covered by noise or
// by another tile.
//
// A change is drawn first and applied afterwards.  Its lengths are shares of the tile's sides, so
// that one change can be applied to the same picture in two sizes.  Pure: the draw depends on the
// generator alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "imaging/layout.h"
#include "machine/random.h"
#include "models/research/data/dataset.h"

namespace models {

struct Augmentation {
  double mirror = 0.5;  // Probability of left and right exchanged.
  double crop = 0;      // Probability that a random part of the picture is enlarged to the whole
                        // tile (Szegedy et al. 2015); such a tile is not shifted.
  double crop_area_min = 0.35;       // Least share of the picture's area that the part has.
  double crop_aspect_max = 4.0 / 3;  // Limit of that part's width to height and height to width,
                                     // both in shares of the tile's sides.
  int shift_max = 2;                 // Pixels either way, each axis on its own.
  bool reflect = false;              // Fill what a shift uncovers by reflection; else with 0.
  double erase = 0.35;               // Probability that a rectangle is overwritten with noise
                                     // (random erasing, Zhong et al. 2020).
  double erase_side_min = 0.15;      // Range of the rectangle's sides, shares of the tile's.
  double erase_side_max = 0.5;
};

// Lengths are shares of the tile's width (x) or height (y), whole pixels at the size that the
// change was drawn for; at another size they are rounded to pixels.
struct Change {
  bool mirror = false;
  bool reflect = false;
  // The part of the picture that the tile shows; it is cut out before all other changes.
  // Initialised, so that designated initialisers may leave it out.
  std::optional<imaging::Rect> crop = {};
  double dx = 0;  // To the right, before it is mirrored; downwards for dy.
  double dy = 0;
  std::optional<imaging::Rect> erased;
};

// Draws a change for tiles of `shape`, whose pixels are those of policy.shift_max.
Change draw_change(const TileShape& shape, const Augmentation& policy, machine::Rng& rng);

// Writes a changed copy of `tile` to `out`; what it erases is filled from `noise`.  Requires both
// of shape.bytes() and not to overlap.
void apply(const Change& change, std::span<const std::uint8_t> tile, std::span<std::uint8_t> out,
           const TileShape& shape, machine::Rng& noise);

// Both at once, from one generator: the same tile and generator give the same copy.
void augment(std::span<const std::uint8_t> tile, std::span<std::uint8_t> out,
             const TileShape& shape, const Augmentation& policy, machine::Rng& rng);

// A part of a picture that is pasted over the same part of another (CutMix, Yun et al. 2019): its
// area is uniform in (0, 1), its sides' ratio that of the tile.  Lengths as in Change.
imaging::Rect draw_patch(const TileShape& shape, machine::Rng& rng);

// Requires `from` and `onto` of shape.bytes() each.
void paste(const imaging::Rect& patch, std::span<const std::uint8_t> from,
           std::span<std::uint8_t> onto, const TileShape& shape);

}  // namespace models
