#include "imaging/format.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace imaging {
namespace {

using namespace std::string_view_literals;

// A file of the format has these bytes at this offset.
struct Magic {
  Format format;
  std::string_view bytes;
  std::size_t offset = 0;
};

// The first row that fits decides.
constexpr Magic kMagics[] = {
    {Format::jpeg, "\xff\xd8\xff"sv},
    {Format::png, "\x89PNG\r\n\x1a\n"sv},
    {Format::gif, "GIF8"sv},
    {Format::webp, "WEBP"sv, 8},
    {Format::camera_raw, "CR\x02"sv, 8},
    {Format::camera_raw, "FUJIFILMCCD-RAW"sv},
    {Format::camera_raw, "IIU\0"sv},
    {Format::camera_raw, "IIRO"sv},
    {Format::camera_raw, "IIRS"sv},
    {Format::camera_raw, "MMOR"sv},
    {Format::tiff, "II*\0"sv},
    {Format::tiff, "MM\0*"sv},
    {Format::bigtiff, "II+\0"sv},
    {Format::bigtiff, "MM\0+"sv},
    {Format::jpeg_xr, "II\xbc\x01"sv},
    {Format::pdf, "%PDF"sv},
    {Format::postscript, "%!PS"sv},
    {Format::postscript, "\xc5\xd0\xd3\xc6"sv},
    {Format::jpeg_2000, "\0\0\0\x0cjP  \r\n\x87\n"sv},
    {Format::jpeg_2000, "\xff\x4f\xff\x51"sv},
    {Format::jpeg_xl, "\0\0\0\x0cJXL \r\n\x87\n"sv},
    {Format::jpeg_xl, "\xff\x0a"sv},
    {Format::psd, "8BPS"sv},
    {Format::dds, "DDS "sv},
    {Format::qoi, "qoif"sv},
    {Format::exr, "\x76\x2f\x31\x01"sv},
    {Format::radiance, "#?RADIANCE"sv},
    {Format::radiance, "#?RGBE"sv},
    {Format::fits, "SIMPLE  ="sv},
    {Format::djvu, "AT&TFORM"sv},
    {Format::icns, "icns"sv},
    {Format::ktx, "\xabKTX "sv},
    {Format::mng, "\x8aMNG\r\n\x1a\n"sv},
    {Format::mng, "\x8bJNG\r\n\x1a\n"sv},
    {Format::wmf, "\xd7\xcd\xc6\x9a"sv},
    {Format::wmf, " EMF"sv, 40},
    {Format::xcf, "gimp xcf"sv},
};

bool has(std::string_view text, std::size_t offset, std::string_view bytes) {
  return text.size() >= offset && text.substr(offset).starts_with(bytes);
}

unsigned byte_at(std::string_view text, std::size_t offset) {
  return offset < text.size() ? static_cast<unsigned char>(text[offset]) : 256u;
}

// The formats below have so short a magic that more of the header must fit.

bool is_bmp(std::string_view text) {
  // The size of the second header, of which eight are in use; its three upper bytes are zero.
  constexpr unsigned kSizes[] = {12, 16, 40, 52, 56, 64, 108, 124};
  return text.starts_with("BM") && std::ranges::count(kSizes, byte_at(text, 14)) > 0 &&
         has(text, 15, "\0\0\0"sv);
}

bool is_ico(std::string_view text) {
  // Icons (1) and cursors (2): at least one picture, and the reserved byte of the first is zero.
  return (text.starts_with("\0\0\1\0"sv) || text.starts_with("\0\0\2\0"sv)) &&
         byte_at(text, 4) + byte_at(text, 5) > 0 && byte_at(text, 9) == 0;
}

bool is_pcx(std::string_view text) {
  const unsigned depth = byte_at(text, 3);
  return byte_at(text, 0) == 0x0a && byte_at(text, 1) <= 5 && byte_at(text, 1) != 1 &&
         byte_at(text, 2) == 1 && (depth == 1 || depth == 2 || depth == 4 || depth == 8);
}

bool is_sgi(std::string_view text) {
  return text.starts_with("\x01\xda") && byte_at(text, 2) <= 1 &&
         (byte_at(text, 3) == 1 || byte_at(text, 3) == 2) && byte_at(text, 4) == 0 &&
         byte_at(text, 5) >= 1 && byte_at(text, 5) <= 3;
}

bool is_netpbm(std::string_view text) {
  return byte_at(text, 0) == 'P' &&
         ((byte_at(text, 1) >= '1' && byte_at(text, 1) <= '7') || byte_at(text, 1) == 'F' ||
          byte_at(text, 1) == 'f') &&
         (byte_at(text, 2) == '\n' || byte_at(text, 2) == ' ' || byte_at(text, 2) == '\r' ||
          byte_at(text, 2) == '\t');
}

// A file of boxes: its first box, ftyp, names the brands that the file obeys.
Format format_of_boxes(std::string_view text) {
  const std::size_t size = std::min<std::size_t>(
      {text.size(), 256, byte_at(text, 2) * std::size_t{256} + byte_at(text, 3)});
  const auto names = [&](std::initializer_list<std::string_view> brands) {
    for (std::size_t at = 8; at + 4 <= size; at += at == 8 ? 8 : 4) {
      if (std::ranges::count(brands, text.substr(at, 4)) > 0) return true;
    }
    return false;
  };
  if (names({"avif", "avis"})) return Format::avif;
  if (names({"heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"})) return Format::heic;
  return names({"crx "}) ? Format::camera_raw : Format::iso_media;
}

// Removes what may stand before the root of an XML file: a byte-order mark, white space, comments,
// declarations.
std::string_view root_of_xml(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto skip_past = [&](std::string_view end) {
    const std::size_t at = text.find(end);
    text.remove_prefix(at == text.npos ? text.size() : at + end.size());
  };
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.starts_with("<!--")) {
      skip_past("-->");
    } else if (text.starts_with("<?")) {
      skip_past("?>");
    } else if (text.starts_with("<!DOCTYPE") && !text.starts_with("<!DOCTYPE svg")) {
      return {};
    } else if (text.starts_with("<!DOCTYPE")) {
      return "<svg";
    } else {
      return text;
    }
  }
}

bool is_svg(std::string_view text) {
  constexpr std::size_t kPrologMax = 64 * 1024;
  text = text.substr(0, kPrologMax);
  // In UTF-16, every second byte is zero.  No other format with such a beginning is text.
  if (text.starts_with("\xff\xfe<\0"sv) || text.starts_with("\xfe\xff\0<"sv)) return true;
  const std::string_view root = root_of_xml(text);
  if (!root.starts_with("<")) return false;
  const std::string_view name = root.substr(1, root.find_first_of(" \t\r\n/>", 1) - 1);
  return name == "svg" || name.ends_with(":svg");
}

}  // namespace

Format format_of(std::span<const std::uint8_t> body) {
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  const auto* known = std::ranges::find_if(
      kMagics, [&](const Magic& magic) { return has(text, magic.offset, magic.bytes); });
  if (known != std::end(kMagics)) {
    if (known->format == Format::webp && !text.starts_with("RIFF")) return Format::unknown;
    if (known->format == Format::png && has(text, 12, "CgBI")) return Format::apple_png;
    return known->format;
  }
  if (has(text, 4, "ftyp")) return format_of_boxes(text);
  if (is_bmp(text)) return Format::bmp;
  if (is_ico(text)) return Format::ico;
  if (is_pcx(text)) return Format::pcx;
  if (is_sgi(text)) return Format::sgi;
  if (is_netpbm(text)) return Format::netpbm;
  return is_svg(text) ? Format::svg : Format::unknown;
}

std::string_view name_of(Format format) {
  constexpr std::string_view kNames[] = {"unknown",
                                         "JPEG",
                                         "PNG",
                                         "WebP",
                                         "GIF",
                                         "TIFF",
                                         "HEIC",
                                         "AVIF",
                                         "Apple CgBI",
                                         "BigTIFF",
                                         "BMP",
                                         "camera raw",
                                         "DDS",
                                         "DjVu",
                                         "OpenEXR",
                                         "FITS",
                                         "ICO",
                                         "ICNS",
                                         "MP4 or another file of boxes",
                                         "JPEG 2000",
                                         "JPEG XL",
                                         "JPEG XR",
                                         "KTX",
                                         "MNG",
                                         "Netpbm",
                                         "PCX",
                                         "PDF",
                                         "PostScript",
                                         "PSD",
                                         "QOI",
                                         "Radiance",
                                         "SGI",
                                         "SVG",
                                         "WMF",
                                         "XCF"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Format::xcf) + 1);
  return kNames[static_cast<std::size_t>(format)];
}

std::span<const ServableFormat> servable_formats() {
  static constexpr ServableFormat kServable[] = {
      {"jpeg", Format::jpeg}, {"png", Format::png},   {"webp", Format::webp}, {"gif", Format::gif},
      {"tiff", Format::tiff}, {"heic", Format::heic}, {"avif", Format::avif}};
  return kServable;
}

}  // namespace imaging
