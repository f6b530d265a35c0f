// Which image format a file has, by its first bytes.
//
// Pure: bytes in, a name out; nothing is decoded, and libvips is not needed.  A format that no
// stage can serve is known all the same, so that its files are called unsupported and not broken.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

namespace imaging {

enum class Format : std::uint8_t {
  unknown,
  // Those that can be served.
  jpeg,
  png,
  webp,
  gif,
  tiff,
  heic,
  avif,
  // Those that are known only.
  apple_png,  // The CgBI files that Xcode writes: called PNG, but not PNG.
  bigtiff,
  bmp,
  camera_raw,
  dds,
  djvu,
  exr,
  fits,
  ico,
  icns,
  iso_media,  // MP4, QuickTime and other files of boxes without a picture that we know.
  jpeg_2000,
  jpeg_xl,
  jpeg_xr,
  ktx,
  mng,
  netpbm,
  pcx,
  pdf,
  postscript,
  psd,
  qoi,
  radiance,
  sgi,
  svg,
  wmf,
  xcf,
};

// Returns the format of a file that begins with `body`; unknown if it is none of the above.
Format format_of(std::span<const std::uint8_t> body);

// Returns the name that people use, "JPEG 2000"; "unknown" for unknown.
std::string_view name_of(Format format);

// A set of formats, for the switch `images.formats`.
class FormatSet {
 public:
  constexpr FormatSet(std::initializer_list<Format> formats) {
    for (const Format format : formats) insert(format);
  }
  constexpr void insert(Format format) { bits_ |= bit(format); }
  constexpr bool contains(Format format) const { return (bits_ & bit(format)) != 0; }
  friend constexpr bool operator==(FormatSet, FormatSet) = default;

 private:
  static constexpr std::uint64_t bit(Format format) {
    return std::uint64_t{1} << static_cast<unsigned>(format);
  }
  std::uint64_t bits_ = 0;
};

inline constexpr FormatSet kDefaultFormats{Format::jpeg, Format::png, Format::webp};

// The formats that can be served, with the names that `images.formats` takes.
struct ServableFormat {
  std::string_view key;
  Format format;
};
std::span<const ServableFormat> servable_formats();

}  // namespace imaging
