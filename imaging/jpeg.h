// Decodes a JPEG file with libjpeg, and tells damage from oddities.  Only the files of imaging/
// include this header.
#pragma once

#include <cstdint>
#include <span>
#include <tl/expected.hpp>

#include "imaging/jpeg_segments.h"
#include "imaging/samples.h"
#include "wire/reason.h"

namespace imaging {

// Decodes at 1, 1/2, 1/4 or 1/8 of the size (`shrink` 1, 2, 4 or 8): ceil(width / shrink) columns,
// each the mean of `shrink` columns of the picture.  `segments` are those of `body`.   Fails with
// truncated_image, or unsupported_image for what libjpeg cannot decode.
//
// libjpeg decodes what it can and merely warns.  Those warnings are damage here:
//   - the data of a scan ends early, or has a code that does not exist;
//   - restart markers are lost or out of order, or data is left over before one of them;
//   - data is left over at the end of a scan, unless it is padding before the end marker or, in a
//     file without one, a trailer;
//   - a block is much lighter than white or darker than black (files of one scan);
//   - a component, or a frequency of one, was never sent, or was refined before it was sent.
// These are no damage: junk between the segments of the header, bytes behind the picture, a missing
// end marker, and the header's small errors.
tl::expected<Samples, wire::Reason> decode_jpeg(std::span<const std::uint8_t> body,
                                                const JpegSegments& segments, int shrink);

}  // namespace imaging
