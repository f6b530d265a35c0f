#include "models/serving/planes.h"

#include <gmock/gmock.h>

#include <numeric>

namespace models {
namespace {

const Normalisation kScaling{.mean = {0, 0.5, 1}, .deviation = {1, 0.5, 2}};

TEST(PlanesOf, AreTheChannelsOneAfterAnother) {
  constexpr TileShape kWide{.width = 3, .height = 2, .channels = 3};
  std::vector<std::uint8_t> pixels(kWide.bytes());
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  const std::vector<float> planes = planes_of(pixels, kWide, tables_of(kScaling));
  ASSERT_EQ(planes.size(), 18u);
  // The second of the first row, green; the last of all, blue.
  EXPECT_NEAR(planes[6 + 1], (4 / 255.0 - 0.5) / 0.5, 1e-6);
  EXPECT_NEAR(planes[12 + 5], (17 / 255.0 - 1) / 2, 1e-6);
}

TEST(PlanesOf, OfANetworkThatTakesBlueFirstAreInItsOrderAndRange) {
  constexpr TileShape kDot{.width = 1, .height = 1, .channels = 3};
  const Normalisation caffe{
      .mean = {103, 116, 123}, .deviation = {1, 1, 1}, .range = 255, .order = ChannelOrder::bgr};
  const std::vector<std::uint8_t> red = {255, 10, 3};
  EXPECT_THAT(planes_of(red, kDot, tables_of(caffe)),
              ::testing::ElementsAre(::testing::FloatNear(3 - 103, 1e-4F),
                                     ::testing::FloatNear(10 - 116, 1e-4F),
                                     ::testing::FloatNear(255 - 123, 1e-4F)));
}

}  // namespace
}  // namespace models
