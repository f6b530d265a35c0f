// Reads the segments of a JPEG file: what must be known before its pixels are decoded.
//
// Pure.  It walks from marker to marker as libjpeg does, and skips what lies inside a segment, so
// that a thumbnail or the video behind a motion photo is never taken for a part of the picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "imaging/exif.h"

namespace imaging {

struct JpegSegments {
  int frame = 0;      // The marker of the frame header, 0xc0 to 0xcf, or 0xf7 for JPEG-LS; 0: none.
  int precision = 0;  // Bits a sample.
  int width = 0;
  int height = 0;  // 0: only a DNL segment behind the first scan would tell.
  int components = 0;
  bool hierarchical = false;
  bool has_exif = false;
  int scans = 0;
  Orientation orientation = kUpright;  // Of the first EXIF segment.
  std::size_t scans_end = 0;           // Offset of the marker behind the last scan, or of the end.

  // The parts of the profile in the order of the file, each with its number and their count before
  // it; they refer to the file's bytes.
  std::vector<std::span<const std::uint8_t>> icc_parts;

  // Returns true if it takes several scans to transmit the picture.
  bool multiscan() const { return frame == 0xc2 || frame == 0xca || scans > 1; }
  // Returns false for what libjpeg cannot decode: 12 bits, lossless, hierarchical, JPEG-LS, DNL.
  // Requires a frame.
  bool decodable() const;
};

// Requires a body that begins with a JPEG's first three bytes.  Reads what there is of a damaged
// file.  One pass over the bytes; a file of one scan is read to the beginning of its scan only, and
// has the body's size as its scans_end.
JpegSegments read_jpeg_segments(std::span<const std::uint8_t> body);

// Returns the profile; empty if there is none, or a part of it is missing or comes twice.
std::vector<std::uint8_t> icc_of(const JpegSegments& segments);

// Returns the offset of the first marker at or after `begin` that ends a scan's data, that is,
// neither a stuffed byte nor a restart marker; the body's size if there is none.
std::size_t end_of_scan(std::span<const std::uint8_t> body, std::size_t begin);

}  // namespace imaging
