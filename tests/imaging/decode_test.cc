#include "imaging/decode.h"

#include <gmock/gmock.h>
#include <vips/vips.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "imaging/vips_image.h"
#include "tests/imaging/image_files.h"

namespace imaging {
namespace {

TEST(Decode, NothingIsAnEmptyImage) { expect_refused({}, Reason::empty_image); }

TEST(Decode, BytesOfNoKnownKindAreNotAnImage) {
  expect_refused({0x00}, Reason::not_an_image);
  expect_refused({0xff}, Reason::not_an_image);
  expect_refused({0xff, 0xd8}, Reason::not_an_image);
  expect_refused(bytes_of("GET / HTTP/1.1\r\n\r\n"), Reason::not_an_image);
  expect_refused(Bytes(100'000, 0xa5), Reason::not_an_image);
}

TEST(Decode, OtherFormatsAreUnsupportedWhateverTheirFileIsCalled) {
  expect_refused(bytes_of("GIF89a\1\0\1\0"), Reason::unsupported_image);
  expect_refused(bytes_of("%PDF-1.4\n"), Reason::unsupported_image);
  expect_refused(bytes_of("<svg xmlns='http://www.w3.org/2000/svg'/>"), Reason::unsupported_image);
  expect_refused(bytes_of("<?xml version='1.0'?><svg/>"), Reason::unsupported_image);
}

TEST(Decode, TheLibraryItselfLoadsNoOtherFormats) {
  const std::string svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>";
  const std::string ppm = "P5 1 1 255 x";
  for (const std::string& body : {svg, ppm}) {
    const VipsImagePtr opened(vips_image_new_from_buffer(body.data(), body.size(), "", nullptr));
    EXPECT_EQ(opened, nullptr) << body;
    vips_error_clear();
  }
}

TEST(Decode, AJpegCutShortAnywhereIsTruncated) {
  const Bytes whole = jpeg(busy(300, 200, 3));
  for (const double part : {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999}) {
    SCOPED_TRACE(part);
    expect_refused(cut(whole, part), Reason::truncated_image);
  }
}

TEST(Decode, AProgressiveJpegCutShortAnywhereIsTruncated) {
  const Bytes whole = jpeg(busy(300, 200, 3), true);
  for (const double part : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    SCOPED_TRACE(part);
    expect_refused(cut(whole, part), Reason::truncated_image);
  }
}

TEST(Decode, APngCutShortAnywhereIsTruncated) {
  for (const bool interlaced : {false, true}) {
    const Bytes whole = png(busy(300, 200, 3), interlaced);
    for (const double part : {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999}) {
      SCOPED_TRACE(part);
      expect_refused(cut(whole, part), Reason::truncated_image);
    }
  }
}

TEST(Decode, AFileCutBelowTheCropIsTruncatedAllTheSame) {
  // The centre crop of a tall picture needs none of its lowest rows.
  const Bytes whole = jpeg(busy(64, 1000, 3));
  expect_refused(cut(whole, 0.9), Reason::truncated_image);
  expect_refused(cut(png(busy(64, 1000, 3)), 0.9), Reason::truncated_image);
}

TEST(Decode, AnUndecodablePngOfTheRightSizeIsTruncated) {
  Bytes body = png(busy(32, 32, 3));
  std::fill(body.begin() + 45, body.end() - 20, std::uint8_t{0});
  expect_refused(body, Reason::truncated_image);
}

TEST(Decode, AHeaderThatClaimsTooMuchIsRefusedBeforeDecoding) {
  expect_refused(jpeg_claiming(60'000, 60'000), Reason::too_many_pixels);
  expect_refused(png_claiming(60'000, 60'000), Reason::too_many_pixels);
  expect_refused(jpeg_claiming(1, 60'000), Reason::too_many_pixels);
  expect_refused(png_claiming(60'000, 1), Reason::too_many_pixels);
}

TEST(Decode, LimitsAreInclusive) {
  const Bytes body = png(busy(40, 30, 3));
  EXPECT_TRUE(decode(body, kColour32, {.pixels_max = 1200, .side_max = 40}).has_value());
  expect_refused(body, Reason::too_many_pixels, {.pixels_max = 1199, .side_max = 40});
  expect_refused(body, Reason::too_many_pixels, {.pixels_max = 1200, .side_max = 39});
}

TEST(Decode, AProgressiveJpegIsBoundedByItsScansToo) {
  const Bytes progressive = jpeg(busy(40, 30, 3), true);
  EXPECT_TRUE(decode(progressive, kColour32, {}).has_value());
  expect_refused(progressive, Reason::too_many_pixels, {.scan_pixels_max = 2 * 1200});
  EXPECT_TRUE(decode(jpeg(busy(40, 30, 3)), kColour32, {.scan_pixels_max = 0}).has_value());
}

TEST(Decode, BytesAfterTheEndAreIgnored) {
  for (Bytes body : {jpeg(busy(50, 50, 3)), png(busy(50, 50, 3))}) {
    const Picture alone = decoded(body, kColour32);
    body.insert(body.end(), 1000, 0x55);
    EXPECT_EQ(decoded(body, kColour32), alone);
  }
}

TEST(Decode, APictureOfTheTargetsSizeKeepsItsSamples) {
  const Picture grey = decoded(png(busy(28, 28, 1)), kGrey28);
  const Picture colour = decoded(png(busy(32, 32, 3), true), kColour32);
  for (int y = 0; y < 28; ++y) {
    for (int x = 0; x < 28; ++x) {
      EXPECT_EQ(at(grey, x, y), (x * 37 + y * 91 + x * y * 13) % 256);
      EXPECT_EQ(at(colour, x, y, 2), (x * 37 + y * 91 + x * y * 13 + 100) % 256);
    }
  }
}

TEST(Decode, EverySizeAndShapeCoversTheTarget) {
  for (const int width : {1, 2, 27, 28, 29, 56, 57, 113, 500, 1023}) {
    for (const int height : {1, 28, 55, 375}) {
      SCOPED_TRACE(testing::Message() << width << " x " << height);
      const auto flat =
          image8(width, height, 1, VIPS_INTERPRETATION_B_W, [](int, int, int) { return 77; });
      EXPECT_THAT(decoded(jpeg(flat), kGrey28).pixels, testing::Each(77));
      EXPECT_THAT(decoded(png(flat), kGrey28).pixels, testing::Each(77));
    }
  }
}

TEST(Decode, AOnePixelPictureFillsTheTarget) {
  const auto dot =
      image8(1, 1, 3, VIPS_INTERPRETATION_sRGB, [](int, int, int band) { return 10 + band; });
  const Picture picture = decoded(png(dot), kColour32);
  expect_pixel(picture, 0, 0, {10, 11, 12}, 0);
  expect_pixel(picture, 31, 31, {10, 11, 12}, 0);
}

TEST(Decode, TheMiddleIsKeptOfAPictureOfAnotherShape) {
  // Black except for the middle third.
  const auto wide = image8(96, 32, 1, VIPS_INTERPRETATION_B_W,
                           [](int x, int, int) { return x >= 32 && x < 64 ? 200 : 0; });
  const auto tall = image8(32, 96, 1, VIPS_INTERPRETATION_B_W,
                           [](int, int y, int) { return y >= 32 && y < 64 ? 200 : 0; });
  const Target target{.width = 32, .height = 32, .channels = 1};
  EXPECT_THAT(decoded(png(wide), target).pixels, testing::Each(200));
  EXPECT_THAT(decoded(png(tall), target).pixels, testing::Each(200));
}

TEST(Decode, ALargeJpegShrinksToTheSamePictureAsAPng) {
  const auto large = quarters_image(640, 640);
  const Picture of_jpeg = decoded(jpeg(large), kColour32);
  const Picture of_png = decoded(png(large), kColour32);
  for (const auto& picture : {of_jpeg, of_png}) {
    expect_pixel(picture, 4, 4, {255, 0, 0}, 3);
    expect_pixel(picture, 27, 4, {0, 255, 0}, 3);
    expect_pixel(picture, 4, 27, {0, 0, 255}, 3);
    expect_pixel(picture, 27, 27, {255, 255, 255}, 3);
  }
}

TEST(Decode, GreyIsWeighedFromColourAndColourIsRepeatedGrey) {
  const Picture grey = decoded(png(quarters_image(28, 28)), kGrey28);
  EXPECT_EQ(at(grey, 0, 0), 76);
  EXPECT_EQ(at(grey, 27, 0), 150);
  EXPECT_EQ(at(grey, 0, 27), 29);
  EXPECT_EQ(at(grey, 27, 27), 255);

  const Picture colour = decoded(png(busy(32, 32, 1)), kColour32);
  const int sample = (5 * 37 + 9 * 91 + 5 * 9 * 13) % 256;
  expect_pixel(colour, 5, 9, {sample, sample, sample}, 0);
}

TEST(Decode, AlphaIsBlendedOverBlack) {
  const auto half = image8(32, 32, 4, VIPS_INTERPRETATION_sRGB, [](int x, int, int band) {
    return band < 3 ? 200 : (x < 16 ? 255 : (x < 24 ? 128 : 0));
  });
  const Picture picture = decoded(png(half), kColour32);
  expect_pixel(picture, 0, 0, {200, 200, 200}, 0);
  expect_pixel(picture, 20, 0, {100, 100, 100}, 1);
  expect_pixel(picture, 31, 0, {0, 0, 0}, 0);

  const auto grey = image8(28, 28, 2, VIPS_INTERPRETATION_B_W, [](int x, int, int band) {
    return band == 0 ? 90 : x < 14 ? 255 : 0;
  });
  const Picture flat = decoded(png(grey), kGrey28);
  EXPECT_EQ(at(flat, 0, 0), 90);
  EXPECT_EQ(at(flat, 27, 0), 0);
}

TEST(Decode, SixteenBitsLoseTheirLowByte) {
  const auto grey = image<std::uint16_t>(28, 28, 1, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_GREY16,
                                         [](int x, int, int) { return x * 1000 + 255; });
  EXPECT_EQ(at(decoded(png(grey), kGrey28), 20, 3), (20 * 1000 + 255) / 256);

  const auto see_through = image<std::uint16_t>(
      32, 32, 4, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_RGB16, [](int x, int, int band) {
        return band < 3 ? 0x8000 : x < 16 ? 0xffff : 0;
      });
  const Picture picture = decoded(png(see_through), kColour32);
  expect_pixel(picture, 0, 0, {128, 128, 128}, 1);
  expect_pixel(picture, 31, 0, {0, 0, 0}, 0);
}

TEST(Decode, AnExifOrientationIsApplied) {
  // The stored corners in the order top left, top right, bottom left, bottom right.
  constexpr std::array<int, 3> kRed{255, 0, 0}, kGreen{0, 255, 0}, kBlue{0, 0, 255},
      kWhite{255, 255, 255};
  const std::array<std::array<std::array<int, 3>, 4>, 9> upright{{{},
                                                                  {kRed, kGreen, kBlue, kWhite},
                                                                  {kGreen, kRed, kWhite, kBlue},
                                                                  {kWhite, kBlue, kGreen, kRed},
                                                                  {kBlue, kWhite, kRed, kGreen},
                                                                  {kRed, kBlue, kGreen, kWhite},
                                                                  {kBlue, kRed, kWhite, kGreen},
                                                                  {kWhite, kGreen, kBlue, kRed},
                                                                  {kGreen, kWhite, kRed, kBlue}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    const bool lying = orientation >= 5;
    const Target target{.width = lying ? 32 : 64, .height = lying ? 64 : 32, .channels = 3};
    // Large enough that the decoder itself reduces the picture.
    const Picture picture =
        decoded(with_orientation(quarters_image(256, 128), orientation), target);
    const int right = target.width - 5;
    const int below = target.height - 5;
    const auto& corners = upright[static_cast<std::size_t>(orientation)];
    expect_pixel(picture, 4, 4, corners[0], 5);
    expect_pixel(picture, right, 4, corners[1], 5);
    expect_pixel(picture, 4, below, corners[2], 5);
    expect_pixel(picture, right, below, corners[3], 5);
  }
}

TEST(Decode, ALyingPictureIsNotShrunkBelowItsTarget) {
  // Upright it is 64 x 256 with stripes one pixel wide; at half its size it would be all grey.
  const auto striped = image8(256, 64, 1, VIPS_INTERPRETATION_B_W,
                              [](int, int y, int) { return y % 2 == 0 ? 0 : 255; });
  const Target target{.width = 64, .height = 32, .channels = 1};
  const Picture picture = decoded(with_orientation(striped, 6), target);
  EXPECT_GT(std::abs(at(picture, 30, 16) - at(picture, 31, 16)), 200);
}

TEST(Decode, ACmykJpegHasItsColours) {
  const auto cmyk = image8(64, 64, 4, VIPS_INTERPRETATION_CMYK, [](int x, int, int band) {
    return x < 32 ? 0 : (band == 1 || band == 2 ? 255 : 0);  // White, then magenta and yellow.
  });
  const Picture picture = decoded(jpeg(cmyk), kColour32);
  expect_pixel(picture, 2, 16, {255, 255, 255}, 6);
  EXPECT_GT(at(picture, 29, 16, 0), 180);
  EXPECT_LT(at(picture, 29, 16, 1), 100);
  EXPECT_LT(at(picture, 29, 16, 2), 100);
}

TEST(Decode, ThreadsDecodeSideBySideAndBadPicturesDisturbNoGoodOne) {
  const Bytes good = jpeg(busy(300, 200, 3));
  const Bytes bad = cut(good, 0.5);
  const Picture expected = decoded(good, kColour32);
  const auto work = [&](int& right) {
    for (int i = 0; i < 50; ++i) {
      const auto picture = decode(good, kColour32, {});
      const auto none = decode(bad, kColour32, {});
      right += picture.has_value() && *picture == expected && !none.has_value() ? 1 : 0;
    }
    end_thread();
  };
  int first = 0;
  int second = 0;
  std::thread one(work, std::ref(first));
  std::thread two(work, std::ref(second));
  one.join();
  two.join();
  EXPECT_EQ(first, 50);
  EXPECT_EQ(second, 50);
}

}  // namespace
}  // namespace imaging
