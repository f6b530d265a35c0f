// Encodes a picture as a PNG file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "imaging/picture.h"

namespace imaging {

// Returns the picture as a PNG file, without loss: decode() at the same size returns the same
// pixels.  Requires a Library and a picture with 1 or 3 channels whose pixels fit its size.  Throws
// std::runtime_error if libvips fails, which happens only if memory runs out.
std::vector<std::uint8_t> encode_png(const Picture& picture);

// Writes a PNG file under another name and renames it, so that no reader sees half a file.  The
// folder must exist.  Throws std::runtime_error, which names the path and the reason; an existing
// file at `path` is then unchanged.
void write_png(const std::filesystem::path& path, const Picture& picture);

}  // namespace imaging
