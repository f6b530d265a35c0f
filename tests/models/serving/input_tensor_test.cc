#include "models/serving/input_tensor.h"

#include <gmock/gmock.h>

#include <numeric>

#include "models/research/data/batch_tensors.h"
#include "models/serving/planes.h"

namespace models {
namespace {

// Training and serving see the same.
TEST(TensorOf, APictureIsThatOfATrainingTileButContiguous) {
  constexpr TileShape kWide{.width = 3, .height = 2, .channels = 3};
  std::vector<std::uint8_t> pixels(kWide.bytes());
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  const std::vector<std::int64_t> first = {0};
  const Normalisation rgb{.mean = {0, 0.5, 1}, .deviation = {1, 0.5, 2}};
  const Normalisation bgr{
      .mean = {103, 116, 123}, .deviation = {1, 1, 1}, .range = 255, .order = ChannelOrder::bgr};
  for (const Normalisation& scaling : {rgb, bgr}) {
    const std::vector<float> planes = planes_of(pixels, kWide, tables_of(scaling));
    const torch::Tensor tensor = tensor_of(planes, kWide);
    EXPECT_TRUE(tensor.equal(assemble(pixels, kWide, scaling, first, 1)));
    EXPECT_TRUE(tensor.is_contiguous());
  }
}

TEST(ValuesOf, AreRowByRowWhateverTheMemoryFormat) {
  const torch::Tensor rows = torch::tensor({{1.0f, 2.0f, 3.0f}, {4.0f, 5.0f, 6.0f}});
  EXPECT_THAT(values_of(rows), testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(values_of(rows.t()), testing::ElementsAre(1, 4, 2, 5, 3, 6));
}

}  // namespace
}  // namespace models
