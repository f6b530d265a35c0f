// Decodes an image file to a picture of exactly the size that a model takes.
//
//     format known and served -> header read and bounded
//     -> decoded whole, a JPEG at 1/2, 1/4 or 1/8 if that leaves a factor of two or more
//     -> alpha blended over the background -> the model's part of the picture resampled to the tile
//     -> upright (EXIF) -> profile to sRGB -> grey or RGB -> padded
//
// The whole file is always decoded, even if the crop needs only a part, so that a truncated file is
// never accepted.  The samples of a picture that already has the target's size and channels are not
// changed.  16 bits become 8 by dropping the low byte; grey of RGB is 0.299 R + 0.587 G + 0.114 B,
// rounded.  Training must use this function, too: other decoders differ by a few levels.
#pragma once

#include <cstdint>
#include <span>
#include <tl/expected.hpp>

#include "imaging/format.h"
#include "imaging/picture.h"
#include "imaging/preprocess.h"
#include "wire/reason.h"

namespace imaging {

// Which files are accepted: their formats, and bounds on the size in a header, checked before
// pixels are decoded.  Decoding takes up to 9 bytes of memory per pixel, for a progressive JPEG up
// to 10.
struct Limits {
  std::int64_t pixels_max = 50'000'000;
  int side_max = 20'000;
  // Pixels x scans of a progressive JPEG, which bounds the work of decoding; 10 scans are usual.
  std::int64_t scan_pixels_max = 500'000'000;
  std::int64_t frames_max = 2'000;  // Frames of an animated WebP, of which the first is decoded.
  // Those beyond JPEG must have been given to the Library, too.
  FormatSet formats = kDefaultFormats;
};

// Fails with
//   empty_image        no bytes;
//   not_an_image       the first bytes are of no known format;
//   unsupported_image  a known format that is not in `limits`, a JPEG of another kind than
//                      sequential or progressive with 8 bits, or an unknown kind of samples;
//   too_many_pixels    there are more pixels, scans or frames than `limits` allow;
//   truncated_image    the file begins as its format does, but is cut short or damaged.
// Bytes after the end of the picture are ignored; of several pictures in a file the first is taken.
// A PNG or JPEG without its end marker has all its pixels and is accepted.  jpeg.h says what is
// damage in a JPEG.
//
// Throws std::bad_alloc if memory is short: the image may be sound.
//
// Requires a Library, and a target of positive size with 1 or 3 channels.  May be called on any
// thread; every thread but the main one must call end_thread() before it ends.
tl::expected<Picture, wire::Reason> decode(std::span<const std::uint8_t> body, const Target& target,
                                           const Limits& limits);

// Frees the memory that libvips keeps for the calling thread.
void end_thread();

}  // namespace imaging
