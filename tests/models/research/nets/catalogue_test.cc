#include "models/research/nets/catalogue.h"

#include <gmock/gmock.h>

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr Subject kGrey{.tile = {.width = 28, .height = 28, .channels = 1}, .classes = 10};
constexpr Subject kColour{.tile = {.width = 32, .height = 32, .channels = 3}, .classes = 10};
constexpr Subject kPhoto{.tile = {.width = 64, .height = 64, .channels = 3}, .classes = 100};

TEST(Catalogue, EveryShapeIsSoundForEveryGrid) {
  for (const Subject& subject : {kGrey, kColour, kPhoto}) {
    EXPECT_NO_THROW(check(single_architecture(subject)));
    for (int side = 2; side <= 5; ++side) {
      EXPECT_NO_THROW(check(collage_architecture(subject, side))) << side;
      EXPECT_NO_THROW(check(detect_architecture(subject, side))) << side;
      EXPECT_NO_THROW(check(small_architecture(subject, side))) << side;
      EXPECT_EQ(collage_architecture(subject, side).slots(), side * side);
      EXPECT_EQ(small_architecture(subject, side).slots(), 1);
    }
  }
}

TEST(Catalogue, TheShapesThatShipCostWhatTheResultsSay) {
  EXPECT_NEAR(mmac(single_architecture(kGrey)), 79.7, 0.05);
  const double grey[] = {81.4, 85.9, 129.5, 151.5};  // Of 2x2 to 5x5.
  const double colour[] = {187.3, 220.5, 250.1, 336.3};
  const double photo[] = {322.0, 306.7, 423.8, 493.2};
  for (int side = 2; side <= 5; ++side) {
    EXPECT_NEAR(mmac(collage_architecture(kGrey, side)), grey[side - 2], 0.05) << side;
    EXPECT_NEAR(mmac(collage_architecture(kColour, side)), colour[side - 2], 0.05) << side;
    EXPECT_NEAR(mmac(collage_architecture(kPhoto, side)), photo[side - 2], 0.05) << side;
  }
  EXPECT_NEAR(mmac(single_architecture(kColour)), 151.3, 0.05);
  EXPECT_NEAR(mmac(single_architecture(kPhoto)), 282.0, 0.05);
  EXPECT_NEAR(mmac(detect_architecture(kGrey, 3)), 142.1, 0.05);
}

TEST(Catalogue, ASmallSingleCostsAboutItsShareOfTheSCnn) {
  for (const Subject& subject : {kGrey, kColour, kPhoto}) {
    const double whole = mmac(single_architecture(subject));
    for (int side = 2; side <= 5; ++side) {
      EXPECT_NEAR(mmac(small_architecture(subject, side)) * side * side / whole, 1.0, 0.2) << side;
    }
  }
}

TEST(Catalogue, TilesThatShipNoSCnnHaveACollageOfAboutTheSameCostAPixel) {
  for (const int tile : {24, 40, 80, 96, 140}) {
    const Subject subject{.tile = {.width = tile, .height = tile, .channels = 3}, .classes = 7};
    EXPECT_THAT([&] { single_architecture(subject); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("no s-CNN ships")));
    const Architecture a = collage_architecture(subject, 3);
    EXPECT_NO_THROW(check(a)) << tile;
    const double per_pixel = mmac(a) * 1e6 / (9.0 * tile * tile);
    EXPECT_GT(per_pixel, 2.9e3) << tile;
    EXPECT_LT(per_pixel, 1.35e4) << tile;
  }
}

TEST(Catalogue, ATileThatCannotBeHalvedTwiceIsRefused) {
  const Subject subject{.tile = {.width = 30, .height = 30, .channels = 3}, .classes = 7};
  EXPECT_THAT([&] { check(collage_architecture(subject, 3)); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("multiples")));
}

}  // namespace
}  // namespace models
