#include "models/research/evaluation/collage_picture.h"

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <numeric>

// What the font library keeps for the process it hides from the leak check.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }

namespace models {
namespace {

using ::testing::Each;
using Rgb = std::array<int, 3>;

constexpr imaging::Grid kGrid{.side = 2, .tile_width = 32, .tile_height = 32};
constexpr int kTile = 128;              // Drawn at four times its size,
constexpr int kMargin = 8, kBand = 40;  // with this around it and below it.
const std::vector<std::string> kNames = {"Coat", "Shirt", "<b>R&D</b>"};

DrawnSlot answered(std::uint64_t label, double probability, int truth) {
  return {.answer = wire::ClassId{label}, .probability = probability, .truth = truth};
}

std::vector<std::uint8_t> black() { return std::vector<std::uint8_t>(64 * 64); }

Rgb at(const imaging::Picture& picture, int x, int y) {
  const auto begin = static_cast<std::size_t>((y * picture.width + x) * 3);
  return {picture.pixels[begin], picture.pixels[begin + 1], picture.pixels[begin + 2]};
}

// The top left corner of a slot's tile in a picture of kGrid.
std::pair<int, int> corner(int slot) {
  return {kMargin + slot % 2 * (kTile + kMargin), kMargin + slot / 2 * (kTile + kBand + kMargin)};
}

struct Ink {
  int pixels = 0;
  Rgb darkest = {255, 255, 255};
};

// Of one of the two lines under a slot.
Ink ink(const imaging::Picture& picture, int slot, int line) {
  const auto [left, top] = corner(slot);
  const auto sum = [](const Rgb& rgb) { return std::accumulate(rgb.begin(), rgb.end(), 0); };
  Ink found;
  for (int y = top + kTile + 2 + 18 * line; y < top + kTile + 2 + 18 * (line + 1); ++y) {
    for (int x = left; x < left + kTile; ++x) {
      const Rgb rgb = at(picture, x, y);
      found.pixels += sum(rgb) < 3 * 255;
      if (sum(rgb) < sum(found.darkest)) found.darkest = rgb;
    }
  }
  return found;
}

bool is_green(const Rgb& rgb) { return rgb[1] > rgb[0] + 40 && rgb[1] > rgb[2] + 40; }
bool is_red(const Rgb& rgb) { return rgb[0] > rgb[1] + 100 && rgb[0] > rgb[2] + 100; }
bool is_grey(const Rgb& rgb) { return std::abs(rgb[0] - rgb[2]) < 40 && rgb[0] > 80; }
bool is_black(const Rgb& rgb) { return rgb[0] < 80 && rgb[1] < 80 && rgb[2] < 80; }

TEST(DrawCollage, TilesGrowByAWholeFactorToAtLeastTheMinimum) {
  struct Case {
    imaging::Grid grid;
    int width, height;  // Of a tile as drawn.
  };
  for (const auto& [grid, width, height] :
       {Case{{3, 28, 28}, 140, 140}, Case{{2, 32, 32}, 128, 128}, Case{{2, 20, 40}, 140, 280},
        Case{{2, 224, 200}, 224, 200}}) {
    const std::vector<std::uint8_t> canvas(
        static_cast<std::size_t>(grid.width() * grid.height() * 3));
    const std::vector<DrawnSlot> slots(static_cast<std::size_t>(grid.slots()));
    const imaging::Picture picture = draw_collage(canvas, grid, 3, slots, kNames);
    EXPECT_EQ(picture.channels, 3);
    EXPECT_EQ(picture.width, kMargin + grid.side * (width + kMargin));
    EXPECT_EQ(picture.height, kMargin + grid.side * (height + kBand + kMargin));
    EXPECT_EQ(picture.pixels.size(), static_cast<std::size_t>(picture.width * picture.height * 3));
  }
}

TEST(DrawCollage, EachPixelOfATileBecomesASquareOfItsColour) {
  std::vector<std::uint8_t> canvas(64 * 64 * 3);
  // The pixel (1, 2) of slot 3 is orange.
  const std::size_t place = ((32 + 2) * 64 + 32 + 1) * 3;
  canvas[place] = 255;
  canvas[place + 1] = 128;
  const imaging::Picture picture =
      draw_collage(canvas, kGrid, 3, std::vector<DrawnSlot>(4), kNames);
  const auto [left, top] = corner(3);
  const Rgb orange = {255, 128, 0};
  EXPECT_EQ(at(picture, left + 4, top + 8), orange);
  EXPECT_EQ(at(picture, left + 7, top + 11), orange);
  EXPECT_THAT((std::vector{at(picture, left + 3, top + 8), at(picture, left + 8, top + 8),
                           at(picture, left + 4, top + 7), at(picture, left + 4, top + 12)}),
              Each(Rgb{0, 0, 0}));
  EXPECT_EQ(at(picture, left - 1, top + 8), (Rgb{255, 255, 255}));
  EXPECT_EQ(at(picture, 0, 0), (Rgb{255, 255, 255}));
}

TEST(DrawCollage, GreyTilesStayGrey) {
  std::vector<std::uint8_t> canvas = black();
  canvas[0] = 200;
  const auto picture = draw_collage(canvas, kGrid, 1, std::vector<DrawnSlot>(4), kNames);
  EXPECT_EQ(at(picture, kMargin, kMargin), (Rgb{200, 200, 200}));
  EXPECT_EQ(at(picture, kMargin + 4, kMargin), (Rgb{0, 0, 0}));
}

TEST(DrawCollage, RightIsGreenAndWrongIsRedWithTheTruthBelow) {
  const std::vector<DrawnSlot> slots = {answered(0, 0.97, 0), answered(0, 0.61, 1),
                                        answered(2, 1, 2), answered(1, 0.5, -1)};
  const imaging::Picture picture = draw_collage(black(), kGrid, 1, slots, kNames);
  EXPECT_TRUE(is_green(ink(picture, 0, 0).darkest));
  EXPECT_EQ(ink(picture, 0, 1).pixels, 0);
  EXPECT_TRUE(is_red(ink(picture, 1, 0).darkest));
  EXPECT_TRUE(is_red(ink(picture, 1, 1).darkest));
  EXPECT_TRUE(is_green(ink(picture, 2, 0).darkest));  // A name with markup in it.
  EXPECT_TRUE(is_black(ink(picture, 3, 0).darkest));  // Nobody knows.
  EXPECT_EQ(ink(picture, 3, 1).pixels, 0);
}

TEST(DrawCollage, BlankAndNoAnswerAreGrey) {
  std::vector<DrawnSlot> slots = {{.blank = true, .answer = wire::ClassId{0}, .truth = 1},
                                  {.answer = std::nullopt},
                                  {.answer = std::nullopt, .truth = 1},
                                  answered(0, 1, 0)};
  const imaging::Picture picture = draw_collage(black(), kGrid, 1, slots, kNames);
  for (const int slot : {0, 1, 2}) EXPECT_TRUE(is_grey(ink(picture, slot, 0).darkest)) << slot;
  EXPECT_EQ(ink(picture, 0, 1).pixels, 0);
  EXPECT_EQ(ink(picture, 1, 1).pixels, 0);
  EXPECT_GT(ink(picture, 2, 1).pixels, 20);                         // What it was.
  EXPECT_GT(ink(picture, 1, 0).pixels, ink(picture, 0, 0).pixels);  // "no answer", "blank"
}

TEST(DrawCollage, ALongNameStaysUnderItsTile) {
  const std::vector<std::string> names = {"American Staffordshire terrier, a dog with a long name"};
  const std::vector<DrawnSlot> slots(4, answered(0, 1, 0));
  const imaging::Picture picture = draw_collage(black(), kGrid, 1, slots, names);
  const auto [left, top] = corner(1);
  for (int y = top; y < top + kTile + kBand; ++y) {
    for (int x = left - kMargin; x < left; ++x) ASSERT_EQ(at(picture, x, y)[0], 255);
  }
  EXPECT_GT(ink(picture, 0, 0).pixels, 100);
}

TEST(DrawCollageDeathTest, AClassWithoutANameIsOurMistake) {
  const std::vector<DrawnSlot> slots(4, answered(3, 1, 0));
  EXPECT_DEATH(draw_collage(black(), kGrid, 1, slots, kNames), "check failed");
}

}  // namespace
}  // namespace models
