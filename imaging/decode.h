// Decodes a JPEG or PNG file to a picture of exactly the size that a model takes.
//
//     header read and bounded -> decoded whole, JPEG at 1/2, 1/4 or 1/8 if that still covers
//     -> alpha blended over black -> upright (EXIF) -> centre of the target's shape
//     -> resized to the target (triangle filter) -> grey or RGB
//
// The whole file is always decoded, even if the crop needs only a part, so that a truncated file is
// never accepted.  The samples of a picture that already has the target's size and channels are not
// changed.  16 bits become 8 by dropping the low byte; grey of RGB is 0.299 R + 0.587 G + 0.114 B,
// rounded; CMYK is converted by libvips' own profile, and embedded ICC profiles are ignored.
// Training must use this function, too: other decoders differ by a few levels.
#pragma once

#include <cstdint>
#include <span>
#include <tl/expected.hpp>

#include "imaging/picture.h"
#include "wire/reason.h"

namespace imaging {

struct Target {
  int width = 0;
  int height = 0;
  int channels = 0;  // 1 for grey, 3 for RGB.
};

// Bounds on the size in a file's header, checked before pixels are decoded.  Decoding takes up to 4
// bytes of memory per pixel, for a progressive JPEG up to 6 more.
struct Limits {
  std::int64_t pixels_max = 50'000'000;
  int side_max = 20'000;
  // Pixels x scans of a progressive JPEG, which bounds the work of decoding; 10 scans are usual.
  std::int64_t scan_pixels_max = 500'000'000;
};

// Fails with
//   empty_image        no bytes;
//   not_an_image       the first bytes are of no known format;
//   unsupported_image  GIF, WebP, TIFF, HEIF, SVG, PDF, or an unknown kind of samples;
//   too_many_pixels    the header has more pixels than `limits` allow;
//   truncated_image    the file begins as JPEG or PNG, but is cut short or damaged.
// Bytes after the end of the picture are ignored.  A PNG without its end marker has all its pixels
// and is accepted.  Requires a Library, and a target of positive size with 1 or 3 channels.  May be
// called on any thread; every thread but the main one must call end_thread() before it ends.
tl::expected<Picture, wire::Reason> decode(std::span<const std::uint8_t> body, const Target& target,
                                           const Limits& limits);

// Frees the memory that libvips keeps for the calling thread.
void end_thread();

}  // namespace imaging
