// PNG files of every kind that the format has, as PngSuite has them, and orientation in each place
// where editors write it.
#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>
#include <string>

#include "imaging/png_chunks.h"
#include "tests/imaging/image_files.h"

namespace imaging {
namespace {

constexpr std::size_t kHeaderEnd = 33;  // Signature and IHDR.

Bytes deflated(const Bytes& plain) {
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  Bytes out(size);
  EXPECT_EQ(compress(out.data(), &size, plain.data(), static_cast<uLong>(plain.size())), Z_OK);
  out.resize(size);
  return out;
}

enum : std::uint8_t { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgbAlpha = 6 };

int samples_of(int type) {
  return type == kRgb ? 3 : type == kGreyAlpha ? 2 : type == kRgbAlpha ? 4 : 1;
}

// A PNG of 32 x 32 pixels, written bit by bit.  `sample` gives a value below 2^depth.
Bytes plain_png(int type, int depth, const Bytes& ancillary,
                const std::function<int(int x, int y, int band)>& sample) {
  Bytes rows;
  for (int y = 0; y < 32; ++y) {
    rows.push_back(0);  // No filter.
    unsigned bits = 0;
    int filled = 0;
    for (int i = 0; i < 32 * samples_of(type); ++i) {
      const int value = sample(i / samples_of(type), y, i % samples_of(type));
      bits = bits << depth | static_cast<unsigned>(value);
      filled += depth;
      for (; filled >= 8; filled -= 8) {
        rows.push_back(static_cast<std::uint8_t>(bits >> (filled - 8)));
      }
    }
  }
  const Bytes header = {
      0, 0, 0, 32, 0, 0, 0, 32, static_cast<std::uint8_t>(depth), static_cast<std::uint8_t>(type),
      0, 0, 0};
  return joined({{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'},
                 chunk("IHDR", header),
                 ancillary,
                 chunk("IDAT", deflated(rows)),
                 chunk("IEND", {})});
}

TEST(Png, OfEveryDepthAndTypeHasItsLevels) {
  for (const int depth : {1, 2, 4, 8, 16}) {
    const int most = (1 << depth) - 1;
    const auto ramp = [&](int x, int, int band) {
      return band == 3 ? most : most * ((x + 8 * band) % 32) / 31;
    };
    const auto level = [&](int x, int band) {
      const int value = ramp(x, 0, band);
      return depth == 16 ? value >> 8 : value * 255 / most;
    };
    for (const int type : {kGrey, kRgb, kRgbAlpha}) {
      if (depth < 8 && type != kGrey) continue;
      SCOPED_TRACE(testing::Message() << "type " << type << " depth " << depth);
      const Picture picture = decoded(plain_png(type, depth, {}, ramp), kColour32);
      for (const int x : {0, 1, 13, 31}) {
        for (int c = 0; c < 3; ++c) {
          EXPECT_NEAR(at(picture, x, 5, c), level(x, type == kGrey ? 0 : c), 1) << x;
        }
      }
    }
  }
}

TEST(Png, OfAPaletteHasItsColours) {
  const Bytes palette = chunk("PLTE", {255, 0, 0, 0, 255, 0, 10, 20, 30});
  for (const int depth : {2, 4, 8}) {
    const Picture picture = decoded(
        plain_png(kPalette, depth, palette, [](int x, int, int) { return x / 12; }), kColour32);
    expect_pixel(picture, 0, 0, {255, 0, 0}, 0);
    expect_pixel(picture, 15, 0, {0, 255, 0}, 0);
    expect_pixel(picture, 31, 0, {10, 20, 30}, 0);
  }
}

// Of a drawing on a transparent ground, black or white, both the drawing and the ground are seen.
TEST(Png, ADrawingOnATransparentGroundIsVisible) {
  for (const int ink : {0, 255}) {
    SCOPED_TRACE(ink);
    const auto colour = static_cast<std::uint8_t>(ink);
    const Bytes palette =
        joined({chunk("PLTE", {128, 128, 128, colour, colour, colour}), chunk("tRNS", {0, 255})});
    const auto cross = [](int x, int y, int) { return x == 16 || y == 16 ? 1 : 0; };
    const Picture picture = decoded(plain_png(kPalette, 1, palette, cross), kColour32);
    expect_pixel(picture, 16, 3, {ink, ink, ink}, 0);
    expect_pixel(picture, 3, 3, {255 - ink, 255 - ink, 255 - ink}, 0);
  }
}

TEST(Png, TheBackgroundThatAModelAsksForIsSeenThroughIt) {
  const auto half = [](int x, int, int band) { return band == 3 ? (x < 16 ? 255 : 51) : 0; };
  Target target = kColour32;
  target.preprocess.background = Background::colour;
  target.preprocess.background_colour = {100, 200, 50};
  const Picture picture = decoded(plain_png(kRgbAlpha, 8, {}, half), target);
  expect_pixel(picture, 0, 0, {0, 0, 0}, 0);
  expect_pixel(picture, 31, 0, {80, 160, 40}, 0);
}

TEST(Png, OfAppleIsUnsupported) {
  Bytes body = png(busy(8, 8, 3));
  const Bytes apple = chunk("CgBI", {0x50, 0, 0x20, 2});
  body.insert(body.begin() + 8, apple.begin(), apple.end());
  expect_refused(body, Reason::unsupported_image);
}

// Orientation.

std::string profile_text(const Bytes& profile) {
  std::string text = "\nexif\n" + std::string(8 - std::to_string(profile.size()).size(), ' ') +
                     std::to_string(profile.size()) + "\n";
  for (std::size_t i = 0; i < profile.size(); ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[profile[i] / 16];
    text += kDigits[profile[i] % 16];
    if (i % 36 == 35) text += '\n';
  }
  return text + "\n";
}

const Bytes kKeyword = joined({bytes_of("Raw profile type exif"), {0}});

Bytes text_chunk(const Bytes& profile) {
  return chunk("tEXt", joined({kKeyword, bytes_of(profile_text(profile))}));
}

Bytes packed_chunk(const Bytes& profile) {
  return chunk("zTXt", joined({kKeyword, {0}, deflated(bytes_of(profile_text(profile)))}));
}

Bytes international_chunk(const Bytes& profile, bool packed) {
  const Bytes text = bytes_of(profile_text(profile));
  return chunk("iTXt", joined({kKeyword,
                               {static_cast<std::uint8_t>(packed ? 1 : 0), 0, 'e', 'n', 0, 0},
                               packed ? deflated(text) : text}));
}

Bytes before_pixels(const Bytes& part) { return with_part(png(quarters_image(64, 64)), part); }

Bytes behind_pixels(const Bytes& part) {
  Bytes body = png(quarters_image(64, 64));
  body.insert(body.end() - 12, part.begin(), part.end());
  return body;
}

TEST(Png, IsOrientedWhereverItsExifStands) {
  const Bytes prefixed = joined({bytes_of("Exif"), {0, 0}, exif(6)});
  for (const Bytes& part :
       {chunk("eXIf", exif(6)), chunk("eXIf", exif(6, 4)), chunk("eXIf", prefixed),
        text_chunk(exif(6)), text_chunk(prefixed), packed_chunk(prefixed),
        international_chunk(exif(6), false), international_chunk(exif(6), true)}) {
    EXPECT_EQ(orientation_of_png(before_pixels(part)), 6);
    EXPECT_EQ(orientation_of_png(behind_pixels(part)), 6);
  }
  const Picture picture = decoded(behind_pixels(chunk("eXIf", exif(6))), kColour32);
  expect_pixel(picture, 4, 4, {0, 0, 255}, 3);
  expect_pixel(picture, 27, 4, {255, 0, 0}, 3);
}

TEST(Png, TheChunkForExifPrevailsOverText) {
  EXPECT_EQ(
      orientation_of_png(before_pixels(joined({text_chunk(exif(3)), chunk("eXIf", exif(8))}))), 8);
}

TEST(Png, WhatIsNoOrientationIsIgnored) {
  const Bytes other = joined({bytes_of("Comment"), {0}, bytes_of(profile_text(exif(6)))});
  const Bytes broken = joined({kKeyword, {0}, {1, 2, 3}});
  for (const Bytes& part :
       {chunk("eXIf", exif(0)), chunk("eXIf", exif(9)), chunk("eXIf", {}), chunk("tEXt", other),
        chunk("zTXt", broken), chunk("zTXt", kKeyword), chunk("iTXt", kKeyword),
        chunk("tEXt", bytes_of("Raw profile type exif"))}) {
    EXPECT_EQ(orientation_of_png(before_pixels(part)), 1);
  }
  Bytes cut_short = before_pixels(text_chunk(exif(6)));
  cut_short.resize(kHeaderEnd + 40);
  EXPECT_EQ(orientation_of_png(cut_short), 1);
}

// 64 MB of white space in 64 kB; its digits stand behind what is inflated.
TEST(Png, ABombOfTextIsInflatedInPartOnly) {
  Bytes text(64u << 20, ' ');
  const Bytes tail = bytes_of(profile_text(exif(6)));
  text.insert(text.end(), tail.begin(), tail.end());
  EXPECT_EQ(
      orientation_of_png(before_pixels(chunk("zTXt", joined({kKeyword, {0}, deflated(text)})))), 1);
}

}  // namespace
}  // namespace imaging
