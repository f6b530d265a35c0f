// Image files of every kind that a pipeline meets, made on the spot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "wire/payload.h"

namespace system_test {

struct ImageFile {
  std::string name;
  std::vector<std::uint8_t> bytes;
  std::string reason{};  // Why it is not classified; empty: it is.
};

// The limit on an image's bytes under which `image_too_large` and its neighbour are made.
inline constexpr std::size_t kImageBytesMax = std::size_t{256} << 10;

// One of each kind that is not classified.  Requires an imaging::Library, as all functions here.
std::vector<ImageFile> bad_files();
// Odd, but each is a picture; some show what `png` does, an image of 28 x 28 pixels.
std::vector<ImageFile> odd_files(const wire::Payload& png);

}  // namespace system_test
