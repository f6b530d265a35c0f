// Decodes a file with one of libvips' loaders.  Only the files of imaging/ include this header.
#pragma once

#include <cstdint>
#include <span>
#include <tl/expected.hpp>

#include "imaging/exif.h"
#include "imaging/format.h"
#include "imaging/preprocess.h"
#include "imaging/samples.h"
#include "imaging/vips_image.h"
#include "wire/reason.h"

namespace imaging {

// Reads the header only; null if it is damaged.  Requires a format that libvips loads, which is
// each servable one but JPEG.  libvips refers to `body` as long as the image lives.
VipsImagePtr open_with_vips(std::span<const std::uint8_t> body, Format format);

// Decodes all pixels of the first picture of the file.  16 bits become 8 by dropping the low byte;
// alpha is blended over the background.  Fails with unsupported_image for a kind of samples that
// is neither grey, RGB nor CMYK of 8 or 16 bits, and with truncated_image if the file is damaged.
tl::expected<Samples, wire::Reason> read_samples(const VipsImagePtr& image,
                                                 const Preprocess& preprocess);

}  // namespace imaging
