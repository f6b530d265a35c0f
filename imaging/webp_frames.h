// Counts the frames of an animated WebP file.
#pragma once

#include <cstdint>
#include <span>

namespace imaging {

// Returns the number of ANMF chunks; 0 if the file is no animation.  Pure; one step a chunk.  Must
// be bounded before libwebp opens the file, which takes time by the square of the number: 74 s for
// the 130,000 frames that 8 MB can hold, though only the first is decoded.
std::int64_t webp_frames(std::span<const std::uint8_t> body);

}  // namespace imaging
