// The image files that are decoded.
#pragma once

#include <cstdint>
#include <vector>

namespace bench {

// 28 x 28 in grey, 32 x 32 in colour: drawn, with the detail of a small photograph.
std::vector<std::uint8_t> small_png();
std::vector<std::uint8_t> small_jpeg();

// The JPEG files of the folder COLLAGE_BENCH_PHOTOGRAPHS, in order of their names; without it three
// drawn ones of 500 x 375 pixels and some 110 kB.  Throws std::runtime_error if there are none.
std::vector<std::vector<std::uint8_t>> photographs();

}  // namespace bench
