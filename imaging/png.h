// Decodes a PNG file with libpng.  Only the files of imaging/ include this header.
#pragma once

#include <cstdint>
#include <span>
#include <tl/expected.hpp>

#include "imaging/preprocess.h"
#include "imaging/samples.h"
#include "wire/reason.h"

namespace imaging {

// Decodes every kind that the format has to 8 bits a sample; 16 bits lose the low byte.  Alpha,
// that of a transparent colour, too, is blended over the background that `preprocess` says; the
// profile is read if that wants it.  Fails with truncated_image: a critical chunk or the pixels are
// damaged or cut short.  Other chunks, and what follows the pixels, may be damaged.
tl::expected<Samples, wire::Reason> decode_png(std::span<const std::uint8_t> body,
                                               const Preprocess& preprocess);

}  // namespace imaging
