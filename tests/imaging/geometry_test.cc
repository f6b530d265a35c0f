#include "imaging/geometry.h"

#include <gmock/gmock.h>

namespace imaging {
namespace {

void expect_axis(const Axis& axis, double begin, double scale, int count, int offset) {
  EXPECT_NEAR(axis.begin, begin, 1e-9);
  EXPECT_NEAR(axis.scale, scale, 1e-12);
  EXPECT_EQ(axis.count, count);
  EXPECT_EQ(axis.offset, offset);
}

TEST(Geometry, CoverTakesTheLargestPartAroundTheCentreToTheFractionOfAPixel) {
  const Geometry g = geometry_of(227, 150, 32, 32, {});
  expect_axis(g.x, 38.5, 150.0 / 32, 32, 0);
  expect_axis(g.y, 0, 150.0 / 32, 32, 0);
  const Geometry wide = geometry_of(100, 100, 64, 32, {});
  expect_axis(wide.x, 0, 100.0 / 64, 64, 0);
  expect_axis(wide.y, 25, 100.0 / 64, 32, 0);
}

TEST(Geometry, CoverAndExactTakeAShareOfThePicture) {
  const Geometry cover = geometry_of(200, 100, 10, 10, {.crop = 0.5});
  expect_axis(cover.x, 75, 5, 10, 0);
  expect_axis(cover.y, 25, 5, 10, 0);
  const Geometry exact = geometry_of(200, 100, 10, 10, {.resize = Resize::exact, .crop = 0.5});
  expect_axis(exact.x, 50, 10, 10, 0);
  expect_axis(exact.y, 25, 5, 10, 0);
}

// torchvision: Resize(256) gives 341 x 256, of which CenterCrop(224) takes columns 58 to 281, as
// round(58.5) is 58 in Python, and rows 16 to 239.
TEST(Geometry, ShorterSideRoundsAsTorchvisionDoes) {
  const Geometry g =
      geometry_of(500, 375, 224, 224, {.resize = Resize::shorter_side, .shorter_side = 256});
  expect_axis(g.x, 58 * 500.0 / 341, 500.0 / 341, 224, 0);
  expect_axis(g.y, 16 * 375.0 / 256, 375.0 / 256, 224, 0);
}

TEST(Geometry, ShorterSideBelowTheTileIsPadded) {
  const Geometry g =
      geometry_of(100, 50, 32, 33, {.resize = Resize::shorter_side, .shorter_side = 20});
  expect_axis(g.x, 4 * 2.5, 2.5, 32, 0);
  expect_axis(g.y, 0, 2.5, 20, 6);
}

TEST(Geometry, FitShowsTheWholePicture) {
  const Geometry g = geometry_of(640, 480, 64, 64, {.resize = Resize::fit});
  expect_axis(g.x, 0, 10, 64, 0);
  expect_axis(g.y, 0, 10, 48, 8);
  const Geometry line = geometry_of(1000, 1, 10, 10, {.resize = Resize::fit});
  expect_axis(line.y, 0, 1, 1, 4);
  // As Pillow's ImageOps.pad: round(37.5) is 38 in Python.
  const Geometry odd = geometry_of(224, 149, 224, 224, {.resize = Resize::fit});
  expect_axis(odd.y, 0, 1, 149, 38);
}

TEST(Geometry, OfALyingPictureIsMirroredAndTurned) {
  const Geometry upright{.x = {.begin = 1, .scale = 2, .count = 3, .offset = 7},
                         .y = {.begin = 5, .scale = 3, .count = 4, .offset = 0}};
  constexpr int kWidth = 20;
  constexpr int kHeight = 30;
  const Geometry half_turn = lying(upright, 3, kWidth, kHeight);
  expect_axis(half_turn.x, 13, 2, 3, 0);
  expect_axis(half_turn.y, 13, 3, 4, 0);
  const Geometry quarter_turn = lying(upright, 6, kWidth, kHeight);
  expect_axis(quarter_turn.x, 5, 3, 4, 0);
  expect_axis(quarter_turn.y, 13, 2, 3, 0);
}

TEST(Geometry, OfAShrunkSourceShowsTheSamePart) {
  const Geometry g = shrunk({.x = {.begin = 6, .scale = 20, .count = 3, .offset = 1}, .y = {}}, 4);
  expect_axis(g.x, 1.5, 5, 3, 1);
}

}  // namespace
}  // namespace imaging
