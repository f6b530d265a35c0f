// From the bytes of a JPEG or PNG file to a picture of exactly the size a model wants.
//
//     header read and bounded -> decoded whole, JPEG at 1/2, 1/4 or 1/8 if that still covers
//     -> alpha blended over black -> upright (EXIF) -> centre of the target's shape
//     -> resized to the target (triangle filter) -> grey or RGB
//
// The whole file is decoded even where the crop needs a part of it, so a file cut short is never
// taken for a picture.  A picture that has the target's size and channels already comes through
// with its samples untouched.  16 bits become 8 by dropping the low byte; grey of RGB is
// 0.299 R + 0.587 G + 0.114 B, rounded; CMYK is converted by libvips' own profile, and embedded
// ICC profiles are ignored.  Training must use this route too: others differ by a few levels.
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
  int channels = 0;  // 1 or 3.
};

// What a header may claim before anything is decoded.  Decoding takes up to 4 bytes of memory a
// pixel, a progressive JPEG up to 6 more.
struct Limits {
  std::int64_t pixels_max = 50'000'000;
  int side_max = 20'000;
  // Of a progressive JPEG, pixels x scans (10 scans are usual): the work that it can cause.
  std::int64_t scan_pixels_max = 500'000'000;
};

// Fails with
//   empty_image        no bytes;
//   not_an_image       nothing known by its first bytes;
//   unsupported_image  GIF, WebP, TIFF, HEIF, SVG, PDF, or samples we have no meaning for;
//   too_many_pixels    the header claims more than `limits` allow;
//   truncated_image    begins as JPEG or PNG, but is cut short or damaged.
// Bytes after the end of the picture are ignored, and a PNG that lacks only its end marker has all
// its pixels.  Requires a Library, and a target of positive size with 1 or 3 channels.  May be
// called on any thread; every thread but the main one calls end_thread() before it ends.
tl::expected<Picture, wire::Reason> decode(std::span<const std::uint8_t> body, const Target& target,
                                           const Limits& limits);

// Frees what libvips keeps for the calling thread.
void end_thread();

}  // namespace imaging
