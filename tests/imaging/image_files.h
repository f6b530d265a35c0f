// Image files for tests, made on the spot; and what they are expected to decode to.
#pragma once

#include <gmock/gmock.h>
#include <vips/vips.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "imaging/decode.h"
#include "imaging/vips_image.h"

namespace imaging {

using wire::Reason;
using Bytes = std::vector<std::uint8_t>;

inline constexpr Target kGrey28{.width = 28, .height = 28, .channels = 1};
inline constexpr Target kColour32{.width = 32, .height = 32, .channels = 3};

// Samples of any band format and count, each computed from its position.
template <class Sample>
VipsImagePtr image(int width, int height, int bands, VipsBandFormat format,
                   VipsInterpretation interpretation,
                   const std::function<int(int x, int y, int band)>& sample) {
  std::vector<Sample> samples;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int band = 0; band < bands; ++band) {
        samples.push_back(static_cast<Sample>(sample(x, y, band)));
      }
    }
  }
  const VipsImagePtr plain(vips_image_new_from_memory_copy(
      samples.data(), samples.size() * sizeof(Sample), width, height, bands, format));
  return made([&](VipsImage** out) {
    return vips_copy(plain.get(), out, "interpretation", interpretation, nullptr);
  });
}

inline VipsImagePtr image8(int width, int height, int bands, VipsInterpretation interpretation,
                           const std::function<int(int x, int y, int band)>& sample) {
  return image<std::uint8_t>(width, height, bands, VIPS_FORMAT_UCHAR, interpretation, sample);
}

// A picture with so much detail that its file is long.
inline VipsImagePtr busy(int width, int height, int bands) {
  return image8(width, height, bands,
                bands == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB,
                [](int x, int y, int band) { return (x * 37 + y * 91 + x * y * 13 + band * 50); });
}

inline Bytes taken(int status, void* data, std::size_t size) {
  EXPECT_EQ(status, 0) << vips_error_buffer();
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  Bytes out(bytes, bytes + size);
  g_free(data);
  return out;
}

inline Bytes jpeg(const VipsImagePtr& from, bool progressive = false) {
  void* data = nullptr;
  std::size_t size = 0;
  const int status = vips_jpegsave_buffer(from.get(), &data, &size, "Q", 95, "interlace",
                                          progressive ? TRUE : FALSE, nullptr);
  return taken(status, data, size);
}

inline Bytes png(const VipsImagePtr& from, bool interlaced = false) {
  void* data = nullptr;
  std::size_t size = 0;
  const int status = vips_pngsave_buffer(from.get(), &data, &size, "interlace",
                                         interlaced ? TRUE : FALSE, nullptr);
  return taken(status, data, size);
}

inline Bytes bytes_of(std::string_view words) { return {words.begin(), words.end()}; }

inline void expect_refused(const Bytes& body, Reason reason, const Limits& limits = {}) {
  const auto picture = decode(body, kColour32, limits);
  ASSERT_FALSE(picture.has_value());
  EXPECT_EQ(picture.error(), reason) << to_string(picture.error());
  EXPECT_STREQ(vips_error_buffer(), "");
}

inline Picture blank_tile(const Target& target) {
  return {target.width, target.height, target.channels,
          Bytes(static_cast<std::size_t>(target.width * target.height * target.channels))};
}

inline Picture decoded(const Bytes& body, const Target& target) {
  const auto picture = decode(body, target, {});
  if (!picture) {
    ADD_FAILURE() << to_string(picture.error());
    return blank_tile(target);
  }
  EXPECT_EQ(picture->width, target.width);
  EXPECT_EQ(picture->height, target.height);
  EXPECT_EQ(picture->channels, target.channels);
  EXPECT_EQ(picture->pixels.size(),
            static_cast<std::size_t>(target.width * target.height * target.channels));
  return *picture;
}

inline int at(const Picture& picture, int x, int y, int channel = 0) {
  return picture
      .pixels[static_cast<std::size_t>((y * picture.width + x) * picture.channels + channel)];
}

inline void expect_pixel(const Picture& picture, int x, int y, std::array<int, 3> rgb,
                         int tolerance) {
  for (int channel = 0; channel < 3; ++channel) {
    EXPECT_NEAR(at(picture, x, y, channel), rgb[static_cast<std::size_t>(channel)], tolerance)
        << "at " << x << "," << y << " channel " << channel;
  }
}

// Red at the top left, green at the top right, blue at the bottom left, white at the bottom right.
inline int quarters(int x, int y, int band, int width, int height) {
  const int quarter = (y >= height / 2 ? 2 : 0) + (x >= width / 2 ? 1 : 0);
  return quarter == 3 || quarter == band ? 255 : 0;
}

inline VipsImagePtr quarters_image(int width, int height) {
  return image8(width, height, 3, VIPS_INTERPRETATION_sRGB,
                [=](int x, int y, int band) { return quarters(x, y, band, width, height); });
}

inline Bytes with_orientation(const VipsImagePtr& from, int orientation) {
  const VipsImagePtr copy =
      made([&](VipsImage** out) { return vips_copy(from.get(), out, nullptr); });
  vips_image_set_int(copy.get(), VIPS_META_ORIENTATION, orientation);
  return jpeg(copy);
}

// The offset of the width and height in a JPEG's frame header.
inline std::size_t jpeg_size_at(const Bytes& body) {
  for (std::size_t i = 2; i + 9 < body.size();) {
    const int marker = body[i + 1];
    if (marker == 0xc0 || marker == 0xc2) return i + 5;
    i += 2 + static_cast<std::size_t>(body[i + 2] * 256 + body[i + 3]);
  }
  ADD_FAILURE() << "no frame header";
  return 0;
}

inline std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

inline void put32(Bytes& bytes, std::size_t offset, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) {
    bytes[offset + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  }
}

inline Bytes png_claiming(std::uint32_t width, std::uint32_t height) {
  Bytes body = png(busy(8, 8, 3));
  put32(body, 16, width);
  put32(body, 20, height);
  put32(body, 29, crc32(std::span(body).subspan(12, 17)));
  return body;
}

inline Bytes jpeg_claiming(int width, int height) {
  Bytes body = jpeg(busy(8, 8, 3));
  const std::size_t offset = jpeg_size_at(body);
  body[offset] = static_cast<std::uint8_t>(height >> 8);
  body[offset + 1] = static_cast<std::uint8_t>(height);
  body[offset + 2] = static_cast<std::uint8_t>(width >> 8);
  body[offset + 3] = static_cast<std::uint8_t>(width);
  return body;
}

// Returns the file with the byte at `offset` in its frame header changed; offset 1 is the marker,
// 4 the precision, 5 the height.
inline Bytes with_frame_byte(Bytes body, std::size_t offset, std::uint8_t value) {
  body[jpeg_size_at(body) - 5 + offset] = value;
  return body;
}

inline Bytes cut(const Bytes& body, double part) {
  return {body.begin(),
          body.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(body.size()))};
}

// Puts `part` into a JPEG behind its first marker, or into a PNG behind its header chunk.
inline Bytes with_part(const Bytes& body, const Bytes& part) {
  Bytes out = body;
  const std::ptrdiff_t at = body[0] == 0xff ? 2 : 33;
  out.insert(out.begin() + at, part.begin(), part.end());
  return out;
}

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// A segment of a JPEG, with its marker and length.
inline Bytes segment(int marker, const Bytes& data) {
  const std::size_t length = data.size() + 2;
  return joined({{0xff, static_cast<std::uint8_t>(marker), static_cast<std::uint8_t>(length >> 8),
                  static_cast<std::uint8_t>(length)},
                 data});
}

// A segment with part `number` of `count` of a profile.
inline Bytes icc_part(std::uint8_t number, std::uint8_t count, const Bytes& part) {
  return segment(0xe2, joined({bytes_of("ICC_PROFILE"), {0, number, count}, part}));
}

// A chunk of a PNG, with its length and checksum.
inline Bytes chunk(std::string_view type, const Bytes& data) {
  Bytes out = joined({Bytes(4), bytes_of(type), data, Bytes(4)});
  put32(out, 0, static_cast<std::uint32_t>(data.size()));
  put32(out, out.size() - 4, crc32(std::span(out).subspan(4, data.size() + 4)));
  return out;
}

// EXIF data in big-endian order whose first directory has this orientation, of type short (3) or
// long (4).
inline Bytes exif(int orientation, int type = 3) {
  const auto value = static_cast<std::uint8_t>(orientation);
  const Bytes padded = type == 3 ? Bytes{0, value, 0, 0} : Bytes{0, 0, 0, value};
  return joined(
      {bytes_of("MM"),
       {0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, static_cast<std::uint8_t>(type), 0, 0, 0, 1},
       padded,
       Bytes(4)});
}

// Returns the mean of the absolute differences, in levels.
inline double difference(const Picture& a, const Picture& b) {
  EXPECT_EQ(a.pixels.size(), b.pixels.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

}  // namespace imaging
