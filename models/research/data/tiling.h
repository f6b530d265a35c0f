// Which image stands in which slot of which training collage.
//
// An epoch's tilings are one flat list, `slots` entries a collage: an image's index, or kBlank.
// Every image appears exactly once an epoch, in a slot drawn for that epoch, so over the epochs
// every class meets every position and every neighbour.  Pure; the same generator state gives the
// same list.
//
// A blank slot's pixels are kBlankPixel before normalisation, in training as in serving.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "machine/random.h"

namespace models {

inline constexpr std::int64_t kBlank = -1;
inline constexpr std::uint8_t kBlankPixel = 0;

// 0 .. n-1 in random order (Fisher and Yates).
std::vector<std::size_t> shuffled(std::size_t n, machine::Rng& rng);

// A share `partial_share` of the collages, drawn at random, has 1 to slots-1 blank slots at random
// places; blank slots also fill up the last collage.  Requires slots > 0, 0 <= partial_share <= 1.
std::vector<std::int64_t> draw_tilings(std::size_t images, std::size_t slots, double partial_share,
                                       machine::Rng& rng);

// Images in groups of `k`, in random order, one flat list: every image once, but those from the
// beginning of the list that fill up the last group.  Requires k >= 1.
std::vector<std::int64_t> draw_groups(std::size_t images, std::size_t k, machine::Rng& rng);

}  // namespace models
