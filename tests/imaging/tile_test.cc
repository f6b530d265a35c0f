#include "imaging/tile.h"

#include <gmock/gmock.h>

namespace imaging {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr Grid kGrid{.side = 2, .tile_width = 2, .tile_height = 1};

TEST(Tile, ANewCanvasIsBlackAndHoldsEveryCell) {
  const auto canvas = new_canvas({.side = 3, .tile_width = 28, .tile_height = 20}, 3);
  EXPECT_EQ(canvas.size(), 3u * 28 * 3 * 20 * 3);
  EXPECT_THAT(canvas, Each(0));
}

TEST(Tile, ATileFillsItsCellAndNoOther) {
  auto canvas = new_canvas(kGrid, 1);
  paste(canvas, kGrid, 1, 3, {2, 1, 1, {7, 8}});
  EXPECT_THAT(canvas, ElementsAre(0, 0, 0, 0, 0, 0, 7, 8));
  paste(canvas, kGrid, 1, 1, {2, 1, 1, {5, 6}});
  EXPECT_THAT(canvas, ElementsAre(0, 0, 5, 6, 0, 0, 7, 8));
}

TEST(Tile, RowsOfATileKeepTheirOrderAndChannelsStayTogether) {
  constexpr Grid grid{.side = 2, .tile_width = 1, .tile_height = 2};
  auto canvas = new_canvas(grid, 3);
  paste(canvas, grid, 3, 2, {1, 2, 3, {1, 2, 3, 4, 5, 6}});
  EXPECT_THAT(canvas, ElementsAre(0, 0, 0, 0, 0, 0,  //
                                  0, 0, 0, 0, 0, 0,  //
                                  1, 2, 3, 0, 0, 0,  //
                                  4, 5, 6, 0, 0, 0));
}

TEST(Tile, PastingAgainReplacesTheTile) {
  auto canvas = new_canvas(kGrid, 1);
  paste(canvas, kGrid, 1, 0, {2, 1, 1, {1, 2}});
  paste(canvas, kGrid, 1, 0, {2, 1, 1, {3, 4}});
  EXPECT_THAT(canvas, ElementsAre(3, 4, 0, 0, 0, 0, 0, 0));
}

TEST(TileDeathTest, ATileOfAnotherSizeIsOurMistake) {
  auto canvas = new_canvas(kGrid, 1);
  EXPECT_DEATH(paste(canvas, kGrid, 1, 0, {1, 1, 1, {1}}), "check failed");
  EXPECT_DEATH(paste(canvas, kGrid, 1, 4, {2, 1, 1, {1, 2}}), "check failed");
}

}  // namespace
}  // namespace imaging
