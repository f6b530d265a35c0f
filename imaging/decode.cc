#include "imaging/decode.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>

#include "imaging/vips_image.h"
#include "wire/check.h"

namespace imaging {
namespace {

using wire::Reason;
using Bytes = std::span<const std::uint8_t>;
using ImageOrReason = tl::expected<VipsImagePtr, Reason>;
using namespace std::string_view_literals;

enum class Format : std::uint8_t { jpeg, png, other, unknown };

// Decides by the first bytes, so that only the loaders of JPEG and PNG ever see a file.  The other
// formats are listed to give a better reason than not_an_image.
Format format_of(Bytes body) {
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  if (text.starts_with("\xff\xd8\xff")) return Format::jpeg;
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return Format::png;
  for (const auto magic : {"GIF8"sv, "II*\0"sv, "MM\0*"sv, "%PDF"sv, "<svg"sv, "<?xml"sv}) {
    if (text.starts_with(magic)) return Format::other;
  }
  const auto at = [&](std::size_t offset, std::string_view magic) {
    return text.size() >= offset + magic.size() && text.substr(offset, magic.size()) == magic;
  };
  if (at(4, "ftyp") || (at(0, "RIFF") && at(8, "WEBP"))) return Format::other;
  return Format::unknown;
}

// Reads only the header; libvips decodes pixels when they are read.  fail_on truncated, because by
// default libvips fills the missing part with grey, which would give a confident wrong answer.
VipsImagePtr open(Bytes body, Format format, int shrink) {
  // libvips only reads the buffer, but its C signature has no const.
  void* data = const_cast<std::uint8_t*>(body.data());
  return made([&](VipsImage** out) {
    return format == Format::jpeg
               ? vips_jpegload_buffer(data, body.size(), out, "access", VIPS_ACCESS_SEQUENTIAL,
                                      "fail_on", VIPS_FAIL_ON_TRUNCATED, "shrink", shrink, nullptr)
               : vips_pngload_buffer(data, body.size(), out, "access", VIPS_ACCESS_SEQUENTIAL,
                                     "fail_on", VIPS_FAIL_ON_TRUNCATED, nullptr);
  });
}

// An upper bound of the number of scans: a marker inside metadata is counted, too.
std::int64_t scans_of(Bytes body) {
  std::int64_t scans = 0;
  for (std::size_t i = 0; i + 1 < body.size(); ++i) {
    scans += body[i] == 0xff && body[i + 1] == 0xda ? 1 : 0;
  }
  return scans;
}

bool is_multiscan(VipsImage* jpeg) {
  int multiscan = 0;
  return vips_image_get_typeof(jpeg, "jpeg-multiscan") != 0 &&
         vips_image_get_int(jpeg, "jpeg-multiscan", &multiscan) == 0 && multiscan != 0;
}

// Checked before any pixel is decoded: a file of 150 kB can claim a picture of 12 GB, and each scan
// of a progressive JPEG costs a pass over all pixels.
bool within(const Limits& limits, VipsImage* image, Bytes body, Format format) {
  const int width = vips_image_get_width(image);
  const int height = vips_image_get_height(image);
  const std::int64_t pixels = std::int64_t{width} * height;
  if (std::max(width, height) > limits.side_max || pixels > limits.pixels_max) return false;
  const bool counted = format == Format::jpeg && is_multiscan(image);
  return !counted || scans_of(body) <= limits.scan_pixels_max / pixels;
}

// Returns the width and height after the rotation that the EXIF orientation asks for.
std::pair<int, int> upright_size(VipsImage* image) {
  const int width = vips_image_get_width(image);
  const int height = vips_image_get_height(image);
  const bool lying = vips_image_get_orientation(image) >= 5;  // 5 to 8 swap width and height.
  return lying ? std::pair(height, width) : std::pair(width, height);
}

// Returns the largest reduction in the JPEG decoder that leaves at least the target's size.
int shrink_for(VipsImage* image, const Target& target) {
  const auto [width, height] = upright_size(image);
  for (const int shrink : {8, 4, 2}) {
    if (width / shrink >= target.width && height / shrink >= target.height) return shrink;
  }
  return 1;
}

VipsImagePtr to_8_bits(VipsImagePtr in) {
  if (vips_image_get_format(in.get()) == VIPS_FORMAT_UCHAR) return in;
  const VipsImagePtr bytes =
      made([&](VipsImage** out) { return vips_msb(in.get(), out, nullptr); });
  if (!bytes) return nullptr;
  // vips_flatten derives the value of full opacity (255 or 65535) from the interpretation.
  const auto interpretation =
      vips_image_get_bands(in.get()) < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  return made([&](VipsImage** out) {
    return vips_copy(bytes.get(), out, "interpretation", interpretation, nullptr);
  });
}

VipsImagePtr from_cmyk(const VipsImagePtr& in) {
  VipsImagePtr copy = made([&](VipsImage** out) { return vips_copy(in.get(), out, nullptr); });
  if (!copy) return nullptr;
  // An ICC profile from an untrusted file would need one more parser that must be trusted.
  vips_image_remove(copy.get(), VIPS_META_ICC_NAME);
  return made([&](VipsImage** out) {
    return vips_colourspace(copy.get(), out, VIPS_INTERPRETATION_sRGB, nullptr);
  });
}

// Converts to grey or RGB with 8 bits per sample; the pixels are not decoded yet.
ImageOrReason plain(VipsImagePtr image) {
  const VipsBandFormat format = vips_image_get_format(image.get());
  const int bands = vips_image_get_bands(image.get());
  if ((format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT) || bands < 1 || bands > 4) {
    return tl::unexpected(Reason::unsupported_image);
  }
  if (vips_image_get_interpretation(image.get()) == VIPS_INTERPRETATION_CMYK) {
    image = from_cmyk(image);
  } else {
    image = to_8_bits(std::move(image));
  }
  if (image && vips_image_hasalpha(image.get())) {
    image = made([&](VipsImage** out) { return vips_flatten(image.get(), out, nullptr); });
  }
  if (!image) return tl::unexpected(Reason::truncated_image);
  const int plain_bands = vips_image_get_bands(image.get());
  if (plain_bands != 1 && plain_bands != 3) return tl::unexpected(Reason::unsupported_image);
  return image;
}

// Crops the largest centred rectangle that has the aspect ratio of the target.
VipsImagePtr crop(const VipsImagePtr& image, const Target& target) {
  const int width = vips_image_get_width(image.get());
  const int height = vips_image_get_height(image.get());
  const double scale = std::min(static_cast<double>(width) / target.width,
                                static_cast<double>(height) / target.height);
  const int crop_width = std::clamp(static_cast<int>(std::lround(target.width * scale)), 1, width);
  const int crop_height =
      std::clamp(static_cast<int>(std::lround(target.height * scale)), 1, height);
  return made([&](VipsImage** out) {
    return vips_extract_area(image.get(), out, (width - crop_width) / 2, (height - crop_height) / 2,
                             crop_width, crop_height, nullptr);
  });
}

VipsImagePtr resize(VipsImagePtr image, const Target& target) {
  const int width = vips_image_get_width(image.get());
  const int height = vips_image_get_height(image.get());
  if (width == target.width && height == target.height) return image;
  const double x_scale = static_cast<double>(target.width) / width;
  const double y_scale = static_cast<double>(target.height) / height;
  // The linear kernel is an antialiased triangle filter when it reduces; Lanczos costs 20 % more.
  return made([&](VipsImage** out) {
    return vips_resize(image.get(), out, x_scale, "vscale", y_scale, "kernel", VIPS_KERNEL_LINEAR,
                       nullptr);
  });
}

// Decodes the whole picture and brings it upright to the target's size.  It is copied to memory
// first: reading only the crop would not notice that a file is cut short below it.
VipsImagePtr fit(const VipsImagePtr& image, const Target& target) {
  const VipsImagePtr decoded(vips_image_copy_memory(image.get()));
  if (!decoded) return nullptr;
  VipsImagePtr fitted =
      made([&](VipsImage** out) { return vips_autorot(decoded.get(), out, nullptr); });
  if (fitted) fitted = crop(fitted, target);
  if (fitted) fitted = resize(std::move(fitted), target);
  return fitted;
}

// In integers, so that every host gets the same values; 500 rounds to the nearest.
std::vector<std::uint8_t> grey_of_rgb(Bytes rgb) {
  std::vector<std::uint8_t> grey(rgb.size() / 3);
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const unsigned sum = 299u * rgb[3 * i] + 587u * rgb[3 * i + 1] + 114u * rgb[3 * i + 2];
    grey[i] = static_cast<std::uint8_t>((sum + 500u) / 1000u);
  }
  return grey;
}

std::vector<std::uint8_t> rgb_of_grey(Bytes grey) {
  std::vector<std::uint8_t> rgb(grey.size() * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = grey[i / 3];
  return rgb;
}

tl::expected<Picture, Reason> to_picture(const VipsImagePtr& image, const Target& target) {
  std::size_t size = 0;
  const std::unique_ptr<void, decltype(&g_free)> memory(
      vips_image_write_to_memory(image.get(), &size), &g_free);
  if (!memory) return tl::unexpected(Reason::truncated_image);
  const Bytes samples(static_cast<const std::uint8_t*>(memory.get()), size);
  const int bands = vips_image_get_bands(image.get());
  Picture picture{target.width, target.height, target.channels, {}};
  if (bands == target.channels) {
    picture.pixels.assign(samples.begin(), samples.end());
  } else {
    picture.pixels = bands == 3 ? grey_of_rgb(samples) : rgb_of_grey(samples);
  }
  return picture;
}

tl::expected<Picture, Reason> decode_as(Format format, Bytes body, const Target& target,
                                        const Limits& limits) {
  VipsImagePtr image = open(body, format, 1);
  if (!image) return tl::unexpected(Reason::truncated_image);
  if (!within(limits, image.get(), body, format)) return tl::unexpected(Reason::too_many_pixels);
  const int shrink = format == Format::jpeg ? shrink_for(image.get(), target) : 1;
  if (shrink > 1) image = open(body, format, shrink);
  if (!image) return tl::unexpected(Reason::truncated_image);

  ImageOrReason samples = plain(std::move(image));
  if (!samples) return tl::unexpected(samples.error());
  const VipsImagePtr fitted = fit(*samples, target);
  if (!fitted) return tl::unexpected(Reason::truncated_image);
  return to_picture(fitted, target);
}

}  // namespace

tl::expected<Picture, Reason> decode(Bytes body, const Target& target, const Limits& limits) {
  COLLAGE_CHECK(target.width > 0 && target.height > 0);
  COLLAGE_CHECK(target.channels == 1 || target.channels == 3);
  if (body.empty()) return tl::unexpected(Reason::empty_image);
  const Format format = format_of(body);
  if (format == Format::unknown) return tl::unexpected(Reason::not_an_image);
  if (format == Format::other) return tl::unexpected(Reason::unsupported_image);
  auto picture = decode_as(format, body, target, limits);
  // libvips has one error buffer per process, which would grow with every bad picture.
  if (!picture) vips_error_clear();
  return picture;
}

void end_thread() { vips_thread_shutdown(); }

}  // namespace imaging
