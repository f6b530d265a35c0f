#include "imaging/vips_load.h"

#include <algorithm>
#include <utility>

#include "imaging/alpha.h"

namespace imaging {
namespace {

using wire::Reason;
using Bytes = std::span<const std::uint8_t>;

// The coding of an image of libvips, and whether an alpha channel follows it.
struct Bands {
  Coding coding;
  bool alpha;
};

tl::expected<Bands, Reason> bands_of(VipsImage* image) {
  const VipsBandFormat format = vips_image_get_format(image);
  const int bands = vips_image_get_bands(image);
  if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT) {
    return tl::unexpected(Reason::unsupported_image);
  }
  switch (vips_image_get_interpretation(image)) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16:
      if (bands == 1 || bands == 2) return Bands{Coding::grey, bands == 2};
      break;
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_RGB16:
      if (bands == 3 || bands == 4) return Bands{Coding::rgb, bands == 4};
      break;
    case VIPS_INTERPRETATION_CMYK:
      if (bands == 4) return Bands{Coding::cmyk, false};
      break;
    default:
      break;
  }
  return tl::unexpected(Reason::unsupported_image);
}

VipsImagePtr to_8_bits(VipsImage* image) {
  if (vips_image_get_format(image) == VIPS_FORMAT_USHORT) {
    return made([&](VipsImage** out) { return vips_msb(image, out, nullptr); });
  }
  return made([&](VipsImage** out) { return vips_copy(image, out, nullptr); });
}

std::vector<std::uint8_t> icc_of_vips(VipsImage* image) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_get_typeof(image, VIPS_META_ICC_NAME) == 0 ||
      vips_image_get_blob(image, VIPS_META_ICC_NAME, &data, &size) != 0) {
    return {};
  }
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  return {bytes, bytes + size};
}

}  // namespace

// fail_on truncated, because by default libvips fills the missing part with grey, which would give
// a confident wrong answer.
VipsImagePtr open_with_vips(Bytes body, Format format) {
  // libvips only reads the buffer, but its C signature has no const.
  void* data = const_cast<std::uint8_t*>(body.data());
  const auto load = [&](auto loader) {
    return made([&](VipsImage** out) {
      return loader(data, body.size(), out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                    VIPS_FAIL_ON_TRUNCATED, nullptr);
    });
  };
  switch (format) {
    case Format::webp:
      return load(vips_webpload_buffer);
    case Format::gif:
      return load(vips_gifload_buffer);
    case Format::tiff:
      return load(vips_tiffload_buffer);
    case Format::heic:
    case Format::avif:
      return load(vips_heifload_buffer);
    default:
      return nullptr;
  }
}

tl::expected<Samples, Reason> read_samples(const VipsImagePtr& image,
                                           const Preprocess& preprocess) {
  const auto found = bands_of(image.get());
  if (!found) return tl::unexpected(found.error());
  const VipsImagePtr bytes = to_8_bits(image.get());
  std::size_t size = 0;
  const std::unique_ptr<void, decltype(&g_free)> memory(
      bytes ? vips_image_write_to_memory(bytes.get(), &size) : nullptr, &g_free);
  if (!memory) return tl::unexpected(Reason::truncated_image);
  const auto* pixels = static_cast<const std::uint8_t*>(memory.get());
  const int bands = vips_image_get_bands(bytes.get());
  Samples samples =
      new_samples(vips_image_get_width(bytes.get()), vips_image_get_height(bytes.get()),
                  bands - (found->alpha ? 1 : 0), found->coding);
  if (found->alpha) {
    blend_alpha(pixels, samples, preprocess);
  } else {
    std::copy_n(pixels, size, samples.pixels.get());
  }
  if (preprocess.icc == Icc::srgb) samples.icc = icc_of_vips(image.get());
  return samples;
}

}  // namespace imaging
