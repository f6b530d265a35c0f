// From a picture to a PNG file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "imaging/picture.h"

namespace imaging {

// The picture as a PNG file, without loss: decode at the same size gives it back bit for bit.
// Requires a Library and a picture of 1 or 3 channels whose pixels fit its size.  Throws
// std::runtime_error if libvips fails, which only a lack of memory makes it.
std::vector<std::uint8_t> encode_png(const Picture& picture);

// Writes the file beside its place and renames it, so no reader sees half a file.  The folder
// must exist.  Throws std::runtime_error naming the path and what went wrong; then the file at
// `path`, if there was one, is as it was.
void write_png(const std::filesystem::path& path, const Picture& picture);

}  // namespace imaging
