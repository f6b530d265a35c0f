#include "models/research/nets/architecture.h"

#include <gmock/gmock.h>

namespace models {
namespace {

using ::testing::ElementsAre;
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

TEST(Architecture, AConvolutionOverACellCostsItsWeightsACell) {
  Architecture a = tiny(3);
  const double mean = mmac(a);
  const std::int64_t parameters = parameter_count(a);
  a.cell_width = 7;  // Of 2x2 places with 3 channels; the linear layer then has 7 for 3 inputs.
  EXPECT_NEAR(mmac(a), mean + 9 * (4 * 3 * 7 + (7 - 3) * 5) / 1e6, 1e-9);
  EXPECT_EQ(parameter_count(a), parameters + 4 * 3 * 7 + 2 * 7 + (7 - 3) * 5);
}

TEST(Architecture, APoolingStageHalvesAfterItsEntryAndAWhiteningStemHasPatchesOfTwo) {
  Architecture a = tiny(1);
  a.whitened = true;
  a.stem_width = 8;
  a.stages = {{.width = 3, .blocks = 0, .halve = false, .pool = true}};
  EXPECT_NO_THROW(check(a));
  EXPECT_DOUBLE_EQ(mmac(a), (4 * 8 * 16 + 9 * 8 * 3 * 16 + 3 * 5) / 1e6);
  EXPECT_EQ(parameter_count(a), 5 * 8 + (9 * 8 * 3 + 6) + (3 * 5 + 5));
  a.stem_width = 6;
  EXPECT_THAT([&] { check(a); }, ThrowsMessage<std::invalid_argument>(HasSubstr("whitening")));
}

TEST(Architecture, ACellThatWouldNotBeWholeIsRefused) {
  Architecture a = tiny(3);
  a.tile_width = 5;
  EXPECT_THAT([&] { check(a); }, ThrowsMessage<std::invalid_argument>(HasSubstr("multiples")));
}

TEST(Architecture, AnOddSideIsHalvedUpwards) {
  Architecture a = tiny(1);
  a.tile_width = 5;
  a.head = Head::detect;
  EXPECT_EQ(a.map_width(), 3);
  EXPECT_EQ(a.map_height(), 2);
}

TEST(Architecture, ADetectHeadSpeaksAtEveryPlaceOfTheMapForEveryAnchor) {
  Architecture a = tiny(2);
  const double trunk = mmac(a) - 4 * 3 * 5 / 1e6;
  const std::int64_t trunk_parameters = parameter_count(a) - (3 * 5 + 5);
  a.head = Head::detect;
  EXPECT_EQ(a.head_width(), 3 * (5 + 5));
  EXPECT_NEAR(mmac(a), trunk + 16 * 3 * 30 / 1e6, 1e-9);  // A map of 4x4 places.
  EXPECT_EQ(parameter_count(a), trunk_parameters + 3 * 30 + 30);
}

TEST(DetectShape, FollowsTheArchitecture) {
  Architecture a{.name = "toy",
                 .head = Head::detect,
                 .grid = 3,
                 .tile_width = 28,
                 .tile_height = 28,
                 .channels = 1,
                 .classes = 10,
                 .stem_width = 8,
                 .stem_halves = false,
                 .stages = {{8, 0, true}, {8, 0, true}, {8, 0, true}}};
  const DetectShape got = detect_shape(a);
  EXPECT_EQ(got.map_width, 11);  // 84, 42, 21, 11.
  EXPECT_DOUBLE_EQ(got.stride.width, 84.0 / 11);
  EXPECT_THAT(got.anchors, ElementsAre(Side{14, 14}, Side{28, 28}, Side{42, 42}));
  EXPECT_EQ(got.rows(), 11u * 11 * 3);
}

}  // namespace
}  // namespace models
