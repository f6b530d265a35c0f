#include "models/architecture.h"

#include <gmock/gmock.h>

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// 4x4 input, stem 2, one stage of 3 channels at 2x2 with one block, 5 classes.
Architecture tiny(int grid) {
  return {.name = "tiny",
          .grid = grid,
          .tile_width = 4,
          .tile_height = 4,
          .channels = 1,
          .classes = 5,
          .stem_width = 2,
          .stem_halves = false,
          .stages = {{.width = 3, .blocks = 1, .halve = true}}};
}

TEST(Architecture, CostIsThatOfTheConvolutionsAndTheLinearLayer) {
  const double stem = 9 * 1 * 2 * 16;
  const double entry = 9 * 2 * 3 * 4;
  const double block = 2 * 9 * 3 * 3 * 4;
  EXPECT_DOUBLE_EQ(mmac(tiny(1)), (stem + entry + block + 3 * 5) / 1e6);
  EXPECT_DOUBLE_EQ(mmac(tiny(2)), 4 * mmac(tiny(1)));
}

TEST(Architecture, ParametersAreWeightsScalesAndShifts) {
  EXPECT_EQ(parameter_count(tiny(1)),
            (9 * 2 + 4) + (9 * 2 * 3 + 6) + 2 * (9 * 3 * 3 + 6) + (3 * 5 + 5));
  EXPECT_EQ(parameter_count(tiny(3)), parameter_count(tiny(1)));
}

TEST(Architecture, ACellThatWouldNotBeWholeIsRefused) {
  Architecture a = tiny(3);
  a.tile_width = 5;
  EXPECT_THAT([&] { check(a); }, ThrowsMessage<std::invalid_argument>(HasSubstr("multiples")));
}

TEST(Architecture, TheOnesThatShipAreSoundForEveryGrid) {
  EXPECT_NO_THROW(check(single_architecture(28, 1, 10)));
  for (int grid = 2; grid <= 5; ++grid) {
    EXPECT_NO_THROW(check(collage_architecture(grid, 28, 1, 10))) << grid;
    EXPECT_NO_THROW(check(collage_architecture(grid, 32, 3, 10))) << grid;
  }
}

TEST(Architecture, TheThreeByThreeCollageCostsAboutWhatASingleDoes) {
  EXPECT_NEAR(mmac(single_architecture(28, 1, 10)), 79.7, 0.1);
  EXPECT_NEAR(mmac(collage_architecture(3, 28, 1, 10)), 82.3, 0.1);
}

}  // namespace
}  // namespace models
