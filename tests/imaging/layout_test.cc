#include "imaging/layout.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace imaging {
namespace {

using testing::Optional;

constexpr Grid kGridOfThree{.side = 3, .tile_width = 30, .tile_height = 20};

TEST(Layout, CellsAreNumberedInRowsFromTheTopLeft) {
  EXPECT_EQ(cell(kGridOfThree, 0), (Rect{0, 0, 30, 20}));
  EXPECT_EQ(cell(kGridOfThree, 2), (Rect{60, 0, 30, 20}));
  EXPECT_EQ(cell(kGridOfThree, 3), (Rect{0, 20, 30, 20}));
  EXPECT_EQ(cell(kGridOfThree, 8), (Rect{60, 40, 30, 20}));
}

TEST(Layout, GridsOutsideTheLimitsOfTheWireAreNotValid) {
  EXPECT_TRUE(valid(kGridOfThree));
  EXPECT_TRUE(valid({.side = wire::kGridSideMax, .tile_width = 1, .tile_height = 1}));
  EXPECT_FALSE(valid({.side = wire::kGridSideMin - 1, .tile_width = 1, .tile_height = 1}));
  EXPECT_FALSE(valid({.side = wire::kGridSideMax + 1, .tile_width = 1, .tile_height = 1}));
  EXPECT_FALSE(valid({.side = 3, .tile_width = 0, .tile_height = 1}));
  EXPECT_FALSE(valid({.side = 3, .tile_width = 1, .tile_height = 0}));
}

TEST(Layout, JaccardIsOneForEqualAndZeroForTouchingRectangles) {
  EXPECT_DOUBLE_EQ(jaccard({5, 5, 10, 10}, {5, 5, 10, 10}), 1);
  EXPECT_DOUBLE_EQ(jaccard({0, 0, 10, 10}, {10, 0, 10, 10}), 0);
  EXPECT_DOUBLE_EQ(jaccard({0, 0, 10, 10}, {5, 0, 10, 10}), 1.0 / 3);
}

TEST(Layout, ABoxOverFourCellsHasIndicesOfOneThirdOneSeventhTwiceAndOneFifteenth) {
  constexpr Grid grid{.side = 3, .tile_width = 70, .tile_height = 70};
  // Two thirds of its width and of its height lie in the first cell.
  const double part = 70 / std::sqrt(7);
  const Rect box{70 - 2 * part, 70 - 2 * part, 3 * part, 3 * part};
  EXPECT_NEAR(jaccard(box, cell(grid, 0)), 1.0 / 3, 1e-12);
  EXPECT_NEAR(jaccard(box, cell(grid, 1)), 1.0 / 7, 1e-12);
  EXPECT_NEAR(jaccard(box, cell(grid, 3)), 1.0 / 7, 1e-12);
  EXPECT_NEAR(jaccard(box, cell(grid, 4)), 1.0 / 15, 1e-12);
  EXPECT_THAT(cell_of(box, grid), Optional(wire::Slot{0}));
}

TEST(Layout, ABoxThatOverlapsFourCellsEquallyBelongsToTheLowest) {
  EXPECT_THAT(cell_of({45, 30, 30, 20}, kGridOfThree), Optional(wire::Slot{4}));
  EXPECT_THAT(cell_of({15, 10, 30, 20}, kGridOfThree), Optional(wire::Slot{0}));
}

TEST(Layout, ABoxBelongsToTheCellOfLargestIndex) {
  EXPECT_THAT(cell_of({16, 10, 30, 20}, kGridOfThree), Optional(wire::Slot{1}));
  EXPECT_THAT(cell_of({16, 11, 30, 20}, kGridOfThree), Optional(wire::Slot{4}));
  EXPECT_THAT(cell_of({62, 41, 2, 2}, kGridOfThree), Optional(wire::Slot{8}));
  EXPECT_THAT(cell_of({-100, -100, 101, 101}, kGridOfThree), Optional(wire::Slot{0}));
}

TEST(Layout, ABoxThatOverlapsNoCellBelongsToNone) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(cell_of({90, 0, 10, 10}, kGridOfThree), std::nullopt);
  EXPECT_EQ(cell_of({0, -10, 10, 10}, kGridOfThree), std::nullopt);
  EXPECT_EQ(cell_of({5, 5, 0, 10}, kGridOfThree), std::nullopt);
  EXPECT_EQ(cell_of({5, 5, -3, -3}, kGridOfThree), std::nullopt);
  EXPECT_EQ(cell_of({kNan, 5, 10, 10}, kGridOfThree), std::nullopt);
  EXPECT_EQ(cell_of({5, 5, kNan, 10}, kGridOfThree), std::nullopt);
  EXPECT_EQ(cell_of({0, 0, kInfinity, kInfinity}, kGridOfThree), std::nullopt);
}

}  // namespace
}  // namespace imaging
