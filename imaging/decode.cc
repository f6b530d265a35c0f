#include "imaging/decode.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

#include "imaging/alpha.h"
#include "imaging/colour.h"
#include "imaging/exif.h"
#include "imaging/geometry.h"
#include "imaging/jpeg.h"
#include "imaging/jpeg_segments.h"
#include "imaging/orient.h"
#include "imaging/png.h"
#include "imaging/png_chunks.h"
#include "imaging/resample.h"
#include "imaging/vips_load.h"
#include "imaging/webp_frames.h"
#include "wire/check.h"

namespace imaging {
namespace {

using wire::Reason;
using Bytes = std::span<const std::uint8_t>;
using PictureOrReason = tl::expected<Picture, Reason>;

// What a header says, width and height as the pixels lie in the file.
struct Header {
  int width = 0;
  int height = 0;
  int scans = 1;
  Orientation orientation = kUpright;
};

// Checked before any pixel is decoded: a file of 150 kB can claim a picture of 12 GB, and each scan
// of a progressive JPEG costs a pass over all pixels.
bool within(const Limits& limits, const Header& header) {
  const std::int64_t pixels = std::int64_t{header.width} * header.height;
  if (std::max(header.width, header.height) > limits.side_max || pixels > limits.pixels_max) {
    return false;
  }
  return header.scans == 1 || header.scans <= limits.scan_pixels_max / pixels;
}

// The geometry of the tile in the upright picture, and in the pixels as they lie in the file.
struct Plan {
  Geometry upright;
  Geometry lying;
};

Plan plan_of(const Header& header, const Target& target) {
  int width = header.width;
  int height = header.height;
  if (lies(header.orientation)) std::swap(width, height);
  const Geometry upright =
      geometry_of(width, height, target.width, target.height, target.preprocess);
  return {upright, lying(upright, header.orientation, width, height)};
}

// Returns the largest reduction in the JPEG decoder that leaves a factor of two to the resampling,
// whose filter is exact where the decoder's is not.
int shrink_for(const Geometry& geometry, const Preprocess& preprocess) {
  // Without antialiasing, single pixels of the picture at its full size are looked at.
  if (!preprocess.antialias && preprocess.interpolation != Interpolation::area) return 1;
  const double scale = std::min(geometry.x.scale, geometry.y.scale);
  for (const int shrink : {8, 4, 2}) {
    if (scale >= 2.0 * shrink) return shrink;
  }
  return 1;
}

void fill(Picture& picture, const Colour& colour) {
  const auto channels = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    picture.pixels[i] = channels == 1 ? grey_of(colour) : colour[i % channels];
  }
}

// Places the picture on a tile of the target's size.
Picture padded(Picture picture, const Geometry& geometry, const Target& target) {
  if (picture.width == target.width && picture.height == target.height) return picture;
  Picture tile{target.width, target.height, target.channels, {}};
  tile.pixels.resize(static_cast<std::size_t>(target.width) *
                     static_cast<std::size_t>(target.height) *
                     static_cast<std::size_t>(target.channels));
  fill(tile, target.preprocess.padding);
  const std::ptrdiff_t row = std::ptrdiff_t{picture.width} * target.channels;
  for (int y = 0; y < picture.height; ++y) {
    const std::ptrdiff_t at =
        (std::ptrdiff_t{geometry.y.offset + y} * target.width + geometry.x.offset) *
        target.channels;
    std::copy_n(picture.pixels.begin() + y * row, row, tile.pixels.begin() + at);
  }
  return tile;
}

Picture to_tile(Samples samples, const Header& header, const Geometry& in_samples,
                const Geometry& upright, const Target& target) {
  Samples tile = is_copy(samples, in_samples)
                     ? std::move(samples)
                     : resample(samples, in_samples, target.preprocess.interpolation,
                                target.preprocess.antialias);
  tile = turned_upright(std::move(tile), header.orientation);
  return padded(to_picture(tile, target.channels), upright, target);
}

// A decoder that gets no memory reports an error like any other.  Throws std::bad_alloc if that is
// what ails it, for the picture itself may be sound.
void require_memory(const Header& header) {
  constexpr std::int64_t kBytesPerPixel = 10;  // As Limits says.
  constexpr std::int64_t kOther = 1 << 20;     // Tables and buffers.
  const auto size = static_cast<std::size_t>(
      std::int64_t{header.width} * header.height * kBytesPerPixel + kOther);
  // Volatile, or the compiler may leave both calls out.
  void* volatile probe = std::malloc(size);
  if (probe == nullptr) throw std::bad_alloc();
  std::free(probe);
}

// The tile of what a decoder has returned: samples at 1 / `shrink` of the size, or why there are
// none.
PictureOrReason tile_of(tl::expected<Samples, Reason> samples, const Header& header,
                        const Plan& plan, int shrink, const Target& target) {
  if (!samples) {
    if (samples.error() == Reason::truncated_image) require_memory(header);
    return tl::unexpected(samples.error());
  }
  return to_tile(std::move(*samples), header, shrunk(plan.lying, shrink), plan.upright, target);
}

PictureOrReason decode_jpeg_file(Bytes body, const Target& target, const Limits& limits) {
  const JpegSegments segments = read_jpeg_segments(body);
  if (segments.frame == 0) return tl::unexpected(Reason::truncated_image);
  if (!segments.decodable()) return tl::unexpected(Reason::unsupported_image);
  if (segments.width == 0) return tl::unexpected(Reason::truncated_image);
  const Header header{segments.width, segments.height, segments.multiscan() ? segments.scans : 1,
                      segments.orientation};
  if (!within(limits, header)) return tl::unexpected(Reason::too_many_pixels);

  const Plan plan = plan_of(header, target);
  const int shrink = shrink_for(plan.lying, target.preprocess);
  auto samples = decode_jpeg(body, segments, shrink);
  if (samples && target.preprocess.icc == Icc::srgb) samples->icc = icc_of(segments);
  return tile_of(std::move(samples), header, plan, shrink, target);
}

PictureOrReason decode_png_file(Bytes body, const Target& target, const Limits& limits) {
  const auto size = size_of_png(body);
  if (!size) return tl::unexpected(Reason::truncated_image);
  const Header header{
      .width = size->width, .height = size->height, .orientation = orientation_of_png(body)};
  if (!within(limits, header)) return tl::unexpected(Reason::too_many_pixels);
  return tile_of(decode_png(body, target.preprocess), header, plan_of(header, target), 1, target);
}

PictureOrReason decode_by_vips(Bytes body, Format format, const Target& target,
                               const Limits& limits) {
  // libvips has one error buffer per process, which would grow with every bad picture, and with
  // every HEIC file, of which libheif reads more than there is.
  struct Clear {
    ~Clear() { vips_error_clear(); }
  } clear;
  if (format == Format::webp && webp_frames(body) > limits.frames_max) {
    return tl::unexpected(Reason::too_many_pixels);
  }
  const VipsImagePtr image = open_with_vips(body, format);
  if (!image) {
    require_memory({});
    return tl::unexpected(Reason::truncated_image);
  }
  const bool told = format == Format::webp || format == Format::tiff;
  // A GIF has none; libheif turns its pictures itself.
  const Orientation orientation = told ? vips_image_get_orientation(image.get()) : kUpright;
  const Header header{.width = vips_image_get_width(image.get()),
                      .height = vips_image_get_height(image.get()),
                      .orientation = orientation};
  if (!within(limits, header)) return tl::unexpected(Reason::too_many_pixels);
  return tile_of(read_samples(image, target.preprocess), header, plan_of(header, target), 1,
                 target);
}

}  // namespace

PictureOrReason decode(Bytes body, const Target& target, const Limits& limits) {
  COLLAGE_CHECK(target.width > 0 && target.height > 0);
  COLLAGE_CHECK(target.channels == 1 || target.channels == 3);
  if (body.empty()) return tl::unexpected(Reason::empty_image);
  const Format format = format_of(body);
  if (format == Format::unknown) return tl::unexpected(Reason::not_an_image);
  if (!limits.formats.contains(format)) return tl::unexpected(Reason::unsupported_image);
  if (format == Format::jpeg) return decode_jpeg_file(body, target, limits);
  if (format == Format::png) return decode_png_file(body, target, limits);
  return decode_by_vips(body, format, target, limits);
}

void end_thread() { vips_thread_shutdown(); }

}  // namespace imaging
