#include "imaging/resample.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

namespace imaging {
namespace {

constexpr Interpolation kAll[] = {Interpolation::bilinear, Interpolation::bicubic,
                                  Interpolation::lanczos, Interpolation::area};

Samples samples(int width, int height, int channels,
                const std::function<int(int x, int y, int channel)>& sample) {
  Samples out = new_samples(width, height, channels, channels == 1 ? Coding::grey : Coding::rgb);
  std::uint8_t* to = out.row(0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) *to++ = static_cast<std::uint8_t>(sample(x, y, c));
    }
  }
  return out;
}

// The whole of an axis.
Axis whole(int extent, int count) {
  return {.begin = 0, .scale = static_cast<double>(extent) / count, .count = count, .offset = 0};
}

Samples resized(const Samples& source, int width, int height, Interpolation kind,
                bool antialias = true) {
  return resample(source, {whole(source.width, width), whole(source.height, height)}, kind,
                  antialias);
}

int ring(int x, int y, int width, int height) {
  const double radius = std::hypot(x - (width - 1) / 2.0, y - (height - 1) / 2.0);
  return static_cast<int>(127.5 + 127 * std::cos(radius * 1.3));
}

TEST(Resample, AFlatPictureStaysFlat) {
  for (const Interpolation kind : kAll) {
    for (const bool antialias : {true, false}) {
      for (const auto& [width, height] :
           {std::pair{1, 1}, {1, 300}, {3, 7}, {640, 480}, {32, 32}}) {
        const auto flat = samples(width, height, 3, [](int, int, int c) { return 100 + c * 77; });
        const auto out = resized(flat, 32, 31, kind, antialias);
        for (std::size_t i = 0; i < out.bytes(); ++i) {
          ASSERT_EQ(out.pixels[i], 100 + i % 3 * 77) << width << " x " << height;
        }
      }
    }
  }
}

TEST(Resample, APictureOfTheSizeIsCopiedAndSoIsAPartOfWholePixels) {
  const auto noise =
      samples(32, 20, 3, [](int x, int y, int c) { return x * 37 + y * 91 + c * 50; });
  for (const Interpolation kind : kAll) {
    const auto same = resized(noise, 32, 20, kind);
    EXPECT_TRUE(std::equal(same.row(0), same.row(20), noise.row(0)));
    EXPECT_TRUE(is_copy(noise, {whole(32, 32), whole(20, 20)}));
    EXPECT_FALSE(is_copy(noise, {whole(32, 31), whole(20, 20)}));
    EXPECT_FALSE(is_copy(noise, {whole(32, 32), {.begin = 5, .scale = 1, .count = 15}}));
    const auto part = resample(noise,
                               {{.begin = 5, .scale = 1, .count = 3, .offset = 0},
                                {.begin = 7, .scale = 1, .count = 1, .offset = 0}},
                               kind, true);
    EXPECT_TRUE(std::equal(part.row(0), part.row(1), noise.row(7) + 5 * 3));
  }
}

TEST(Resample, ASymmetricPictureStaysSymmetric) {
  for (const Interpolation kind : kAll) {
    for (const auto& [width, height] :
         {std::pair{8, 8}, {9, 9}, {16, 24}, {65, 65}, {100, 37}, {519, 33}}) {
      const auto rings = samples(width, height, 1, [&, w = width, h = height](int x, int y, int) {
        return ring(x, y, w, h);
      });
      const auto out = resized(rings, 32, 32, kind);
      for (int y = 0; y < 32; ++y) {
        for (int x = 0; x < 32; ++x) {
          ASSERT_NEAR(out.row(y)[x], out.row(y)[31 - x], 1) << width << " x " << height;
          ASSERT_NEAR(out.row(y)[x], out.row(31 - y)[x], 1) << width << " x " << height;
        }
      }
    }
  }
}

TEST(Resample, EnlargingInterpolatesBetweenTheMiddlesOfPixels) {
  const auto edge = samples(2, 1, 1, [](int x, int, int) { return 200 * x; });
  const auto out = resized(edge, 8, 1, Interpolation::bilinear);
  const int expected[] = {0, 0, 25, 75, 125, 175, 200, 200};
  for (int x = 0; x < 8; ++x) EXPECT_EQ(out.row(0)[x], expected[x]) << x;
}

TEST(Resample, AreaIsTheMeanOfWhatAPixelCovers) {
  // Three pixels become two: each covers one and a half.
  const auto ramp = samples(3, 1, 1, [](int x, int, int) { return 90 * x; });
  const auto out = resized(ramp, 2, 1, Interpolation::area);
  EXPECT_EQ(out.row(0)[0], 30);
  EXPECT_EQ(out.row(0)[1], 150);
}

TEST(Resample, WithoutAntialiasingStripesAreMissedAndWithItTheyAreAveraged) {
  const auto stripes = samples(64, 4, 1, [](int x, int, int) { return x % 4 < 2 ? 0 : 200; });
  const auto wide = resized(stripes, 16, 4, Interpolation::bilinear);
  const auto narrow = resized(stripes, 16, 4, Interpolation::bilinear, false);
  EXPECT_NEAR(wide.row(1)[7], 100, 2);
  EXPECT_EQ(narrow.row(1)[7], 100);  // Between the second pixel and the third.
  const auto shifted = samples(64, 4, 1, [](int x, int, int) { return x % 4 < 3 ? 0 : 200; });
  EXPECT_NEAR(resized(shifted, 16, 4, Interpolation::bilinear).row(1)[7], 50, 13);
  EXPECT_EQ(resized(shifted, 16, 4, Interpolation::bilinear, false).row(1)[7], 0);
}

TEST(Resample, OvershootIsClamped) {
  const auto edge = samples(8, 1, 1, [](int x, int, int) { return x < 4 ? 0 : 255; });
  const auto out = resized(edge, 64, 1, Interpolation::bicubic);
  EXPECT_EQ(out.row(0)[20], 0);
  EXPECT_EQ(out.row(0)[44], 255);
}

TEST(Resample, AHugeReductionKeepsTheMean) {
  const auto checks = samples(20'000, 2, 1, [](int x, int, int) { return x % 2 * 200; });
  for (const Interpolation kind : kAll) {
    EXPECT_NEAR(resized(checks, 1, 1, kind).row(0)[0], 100, 2);
  }
}

}  // namespace
}  // namespace imaging
