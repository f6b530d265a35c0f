#include "models/serving/input_tensor.h"

#include <gmock/gmock.h>

#include <numeric>

#include "models/research/data/batch_tensors.h"

namespace models {
namespace {

const Normalisation kScaling{.mean = {0, 0.5, 1}, .deviation = {1, 0.5, 2}};

TEST(PlanesOf, AreThoseOfATrainingTileOfThatSizeButContiguous) {
  constexpr TileShape kWide{.width = 3, .height = 2, .channels = 3};
  std::vector<std::uint8_t> pixels(kWide.bytes());
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  const std::vector<std::int64_t> first = {0};
  const torch::Tensor planes = planes_of(pixels, kWide, tables_of(kScaling));
  EXPECT_TRUE(planes.equal(assemble(pixels, kWide, kScaling, first, 1)));
  EXPECT_TRUE(planes.is_contiguous());
  // The second of the first row, green; the last of all, blue.
  EXPECT_NEAR(planes[0][1][0][1].item<float>(), (4 / 255.0 - 0.5) / 0.5, 1e-6);
  EXPECT_NEAR(planes[0][2][1][2].item<float>(), (17 / 255.0 - 1) / 2, 1e-6);
}

TEST(PlanesOf, OfANetworkThatTakesBlueFirstAreInItsOrderAndRange) {
  constexpr TileShape kDot{.width = 1, .height = 1, .channels = 3};
  const Normalisation caffe{
      .mean = {103, 116, 123}, .deviation = {1, 1, 1}, .range = 255, .order = ChannelOrder::bgr};
  const std::vector<std::uint8_t> red = {255, 10, 3};
  const std::vector<std::int64_t> first = {0};
  const torch::Tensor planes = planes_of(red, kDot, tables_of(caffe));
  EXPECT_NEAR(planes[0][0][0][0].item<float>(), 3 - 103, 1e-4);
  EXPECT_NEAR(planes[0][1][0][0].item<float>(), 10 - 116, 1e-4);
  EXPECT_NEAR(planes[0][2][0][0].item<float>(), 255 - 123, 1e-4);
  EXPECT_TRUE(planes.equal(assemble(red, kDot, caffe, first, 1)));
}

TEST(ValuesOf, AreRowByRowWhateverTheMemoryFormat) {
  const torch::Tensor rows = torch::tensor({{1.0f, 2.0f, 3.0f}, {4.0f, 5.0f, 6.0f}});
  EXPECT_THAT(values_of(rows), testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(values_of(rows.t()), testing::ElementsAre(1, 4, 2, 5, 3, 6));
}

}  // namespace
}  // namespace models
