// Every way from a picture to a tile that a manifest can ask for, through the whole decoder.
#include "imaging/preprocess.h"

#include <gmock/gmock.h>
#include <lcms2.h>

#include <array>
#include <memory>

#include "tests/imaging/image_files.h"

namespace imaging {
namespace {

// Red grows to the right, green downwards: the colour of a pixel tells where it was.
VipsImagePtr ramp(int width, int height) {
  return image8(width, height, 3, VIPS_INTERPRETATION_sRGB, [=](int x, int y, int band) {
    return band == 0 ? 255 * x / (width - 1) : band == 1 ? 255 * y / (height - 1) : 128;
  });
}

Picture with(const Bytes& body, const Preprocess& preprocess) {
  return decoded(body, {.width = 32, .height = 32, .channels = 3, .preprocess = preprocess});
}

TEST(Preprocess, CoverKeepsTheMiddleOfTheLongerSide) {
  const Picture tile = with(png(ramp(256, 128)), {});
  expect_pixel(tile, 0, 0, {66, 2, 128}, 3);
  expect_pixel(tile, 31, 31, {189, 253, 128}, 3);
}

TEST(Preprocess, CropTakesAShareOfThat) {
  const Picture tile = with(png(ramp(256, 128)), {.crop = 0.5});
  expect_pixel(tile, 0, 0, {97, 65, 128}, 3);
  expect_pixel(tile, 31, 31, {158, 190, 128}, 3);
}

TEST(Preprocess, ExactShowsAllOfBothSides) {
  const Picture tile = with(png(ramp(256, 128)), {.resize = Resize::exact});
  expect_pixel(tile, 0, 0, {4, 2, 128}, 3);
  expect_pixel(tile, 31, 31, {251, 253, 128}, 3);
}

TEST(Preprocess, ShorterSideCutsTheTileFromTheMiddle) {
  const Picture tile =
      with(png(ramp(256, 128)), {.resize = Resize::shorter_side, .shorter_side = 64});
  // 128 x 64 pixels, of which those from (48, 16) on are taken.
  expect_pixel(tile, 0, 0, {96, 65, 128}, 3);
  expect_pixel(tile, 31, 31, {158, 190, 128}, 3);
}

TEST(Preprocess, FitPadsWithItsColour) {
  const Preprocess fit{.resize = Resize::fit, .padding = {9, 8, 7}};
  const Picture tile = with(png(ramp(256, 128)), fit);
  expect_pixel(tile, 0, 7, {9, 8, 7}, 0);
  expect_pixel(tile, 31, 24, {9, 8, 7}, 0);
  expect_pixel(tile, 0, 8, {4, 8, 128}, 5);
  expect_pixel(tile, 31, 23, {251, 247, 128}, 5);
  const Picture grey =
      decoded(png(ramp(256, 128)), {.width = 32, .height = 32, .channels = 1, .preprocess = fit});
  EXPECT_EQ(at(grey, 0, 0), 8);
}

TEST(Preprocess, FitOfALyingPictureIsPaddedAtItsUprightSides) {
  const Preprocess fit{.resize = Resize::fit, .padding = {9, 8, 7}};
  const Picture tile = with(with_orientation(ramp(256, 128), 6), fit);
  expect_pixel(tile, 7, 0, {9, 8, 7}, 0);
  expect_pixel(tile, 24, 31, {9, 8, 7}, 0);
  // The stored bottom left is the upright top left.
  expect_pixel(tile, 8, 0, {4, 247, 128}, 8);
}

TEST(Preprocess, InterpolationsDifferOnlyWhereThereIsDetail) {
  const Bytes body = png(busy(100, 100, 3));
  const Picture plain = with(body, {});
  for (const Interpolation kind :
       {Interpolation::bicubic, Interpolation::lanczos, Interpolation::area}) {
    const double change = difference(with(body, {.interpolation = kind}), plain);
    EXPECT_GT(change, 0.5);
    EXPECT_LT(change, 40);
  }
  EXPECT_GT(difference(with(body, {.antialias = false}), plain), 5);
}

// Without antialiasing a JPEG must not be reduced by its decoder, which averages.
TEST(Preprocess, WithoutAntialiasingAJpegGivesWhatItsPngGives) {
  const auto stripes = image8(512, 512, 1, VIPS_INTERPRETATION_B_W,
                              [](int x, int, int) { return x % 16 < 8 ? 40 : 200; });
  const Preprocess points{.antialias = false};
  EXPECT_LT(difference(with(jpeg(stripes), points), with(png(stripes), points)), 2);
}

// Profiles.

// The profile of a space whose red and green primaries have changed places.
Bytes swapped_profile() {
  const cmsCIExyY white{0.3127, 0.3290, 1};
  const cmsCIExyYTRIPLE primaries{{0.30, 0.60, 1}, {0.64, 0.33, 1}, {0.15, 0.06, 1}};
  const std::unique_ptr<cmsToneCurve, decltype(&cmsFreeToneCurve)> gamma(
      cmsBuildGamma(nullptr, 2.2), &cmsFreeToneCurve);
  cmsToneCurve* curves[] = {gamma.get(), gamma.get(), gamma.get()};
  void* profile = cmsCreateRGBProfile(&white, &primaries, curves);
  cmsUInt32Number size = 0;
  cmsSaveProfileToMem(profile, nullptr, &size);
  Bytes out(size);
  cmsSaveProfileToMem(profile, out.data(), &size);
  cmsCloseProfile(profile);
  return out;
}

Bytes srgb_profile() {
  void* profile = cmsCreate_sRGBProfile();
  cmsUInt32Number size = 0;
  cmsSaveProfileToMem(profile, nullptr, &size);
  Bytes out(size);
  cmsSaveProfileToMem(profile, out.data(), &size);
  cmsCloseProfile(profile);
  return out;
}

Bytes with_profile(const Bytes& body, const Bytes& profile) {
  return with_part(body, icc_part(1, 1, profile));
}

TEST(Preprocess, AProfileIsConvertedToSrgbUnlessTheModelIgnoresIt) {
  const Bytes body = with_profile(jpeg(quarters_image(64, 64)), swapped_profile());
  const Picture converted = with(body, {});
  expect_pixel(converted, 4, 4, {0, 255, 0}, 8);
  expect_pixel(converted, 27, 4, {255, 0, 0}, 8);
  expect_pixel(converted, 27, 27, {255, 255, 255}, 8);
  EXPECT_EQ(with(body, {.icc = Icc::ignored}), with(jpeg(quarters_image(64, 64)), {}));
}

TEST(Preprocess, AProfileInPartsIsPutTogetherByTheirNumbersIfAllAreThere) {
  const Bytes plain = jpeg(quarters_image(64, 64));
  const Bytes profile = swapped_profile();
  const Bytes one(profile.begin(), profile.begin() + 200);
  const Bytes two(profile.begin() + 200, profile.end());
  const Picture converted = with(with_profile(plain, profile), {});
  const auto parts = [&](std::initializer_list<Bytes> list) {
    return with(with_part(plain, joined(list)), {});
  };
  EXPECT_EQ(parts({icc_part(1, 2, one), icc_part(2, 2, two)}), converted);
  EXPECT_EQ(parts({icc_part(2, 2, two), icc_part(1, 2, one)}), converted);
  EXPECT_EQ(parts({icc_part(1, 2, one)}), with(plain, {}));
  EXPECT_EQ(parts({icc_part(1, 2, one), icc_part(1, 2, two)}), with(plain, {}));
  EXPECT_EQ(parts({icc_part(0, 2, one), icc_part(2, 2, two)}), with(plain, {}));
}

TEST(Preprocess, TheProfileOfSrgbChangesNothing) {
  const Bytes body = jpeg(busy(64, 64, 3));
  EXPECT_EQ(with(with_profile(body, srgb_profile()), {}), with(body, {}));
}

TEST(Preprocess, AProfileThatIsDamagedOrOfOtherSamplesIsIgnored) {
  const Bytes body = jpeg(busy(64, 64, 3));
  EXPECT_EQ(with(with_profile(body, Bytes(3000, 7)), {}), with(body, {}));
  Bytes half = swapped_profile();
  half.resize(half.size() / 2);
  EXPECT_EQ(with(with_profile(body, half), {}), with(body, {}));
  const Bytes grey = jpeg(busy(64, 64, 1));
  EXPECT_EQ(with(with_profile(grey, swapped_profile()), {}), with(grey, {}));
}

// Other formats.

constexpr FormatSet kEvery{Format::jpeg, Format::png,  Format::webp, Format::gif,
                           Format::tiff, Format::heic, Format::avif};

using Save = int (*)(VipsImage*, void**, std::size_t*);

struct Written {
  const char* name;
  Save save;
  bool served;  // By default.
};

const Written kWritten[] = {
    {"webp",
     [](VipsImage* i, void** d, std::size_t* n) {
       return vips_webpsave_buffer(i, d, n, "lossless", TRUE, nullptr);
     },
     true},
    {"gif",
     [](VipsImage* i, void** d, std::size_t* n) { return vips_gifsave_buffer(i, d, n, nullptr); },
     false},
    {"tiff",
     [](VipsImage* i, void** d, std::size_t* n) { return vips_tiffsave_buffer(i, d, n, nullptr); },
     false},
    {"heic",
     [](VipsImage* i, void** d, std::size_t* n) {
       return vips_heifsave_buffer(i, d, n, "Q", 95, nullptr);
     },
     false},
    {"avif",
     [](VipsImage* i, void** d, std::size_t* n) {
       return vips_heifsave_buffer(i, d, n, "Q", 95, "compression",
                                   VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "effort", 0, nullptr);
     },
     false},
};

TEST(Formats, AreDecodedIfTheyAreSwitchedOnAndUnsupportedOtherwise) {
  const auto picture = quarters_image(96, 64);
  const Picture expected = decoded(png(picture), kColour32);
  for (const auto& [name, save, served] : kWritten) {
    SCOPED_TRACE(name);
    void* data = nullptr;
    std::size_t size = 0;
    const int status = save(picture.get(), &data, &size);
    const Bytes body = taken(status, data, size);
    const auto tile = decode(body, kColour32, {.formats = kEvery});
    ASSERT_TRUE(tile.has_value()) << to_string(tile.error());
    EXPECT_LT(difference(*tile, expected), 6);
    EXPECT_EQ(decode(body, kColour32, {}).has_value(), served);
    if (!served) expect_refused(body, Reason::unsupported_image);
    expect_refused(cut(body, 0.6), Reason::truncated_image, {.formats = kEvery});
    expect_refused(body, Reason::too_many_pixels, {.pixels_max = 96 * 64 - 1, .formats = kEvery});
  }
}

TEST(Formats, AreOrientedByTheirExifOrTheirTag) {
  const auto lying = quarters_image(64, 64);
  vips_image_set_int(lying.get(), VIPS_META_ORIENTATION, 6);
  for (const auto save : {kWritten[0].save, kWritten[2].save}) {
    void* data = nullptr;
    std::size_t size = 0;
    const int status = save(lying.get(), &data, &size);
    const auto tile = decode(taken(status, data, size), kColour32, {.formats = kEvery});
    ASSERT_TRUE(tile.has_value());
    expect_pixel(*tile, 4, 4, {0, 0, 255}, 3);
    expect_pixel(*tile, 27, 4, {255, 0, 0}, 3);
  }
}

// libwebp takes time by the square of the number of frames.
TEST(Formats, AnAnimationOfTooManyFramesIsRefusedUnopened) {
  Bytes body = joined({bytes_of("RIFF"), {0xff, 0xff, 0xff, 0}, bytes_of("WEBP")});
  for (int i = 0; i < 2'001; ++i) body = joined({body, bytes_of("ANMF"), {3, 0, 0, 0, 1, 2, 3, 0}});
  expect_refused(body, Reason::too_many_pixels);
  body.resize(body.size() - 12);
  expect_refused(body, Reason::truncated_image);
}

TEST(Formats, OfAnAnimationTheFirstFrameIsTaken) {
  // Two frames, one below the other: red, then blue.
  const auto frames = image8(32, 64, 3, VIPS_INTERPRETATION_sRGB, [](int, int y, int band) {
    return band == (y < 32 ? 0 : 2) ? 255 : 0;
  });
  vips_image_set_int(frames.get(), VIPS_META_PAGE_HEIGHT, 32);
  for (const auto save : {kWritten[0].save, kWritten[1].save}) {
    void* data = nullptr;
    std::size_t size = 0;
    const int status = save(frames.get(), &data, &size);
    const auto tile = decode(taken(status, data, size), kColour32, {.formats = kEvery});
    ASSERT_TRUE(tile.has_value());
    expect_pixel(*tile, 16, 16, {255, 0, 0}, 6);
  }
}

}  // namespace
}  // namespace imaging
