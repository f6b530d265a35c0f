#include "models/research/nets/yolo_tiny.h"

#include <gmock/gmock.h>

namespace models {
namespace {

using Sizes = std::vector<std::int64_t>;

// Built once: eight million weights are drawn.
YoloTiny& yolo() {
  static YoloTiny net = [] {
    YoloTiny made(100);
    made->eval();
    return made;
  }();
  return net;
}

TEST(YoloTiny, HasAsManyParametersAsCountedByHand) {
  const std::int64_t convolutions =
      9 * (3 * 16 + 16 * 32 + 32 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1024 + 256 * 512) +
      1024 * 256;
  const std::int64_t normalisation = 2 * (16 + 32 + 64 + 128 + 256 + 512 + 1024 + 256 + 512);
  const std::int64_t head = 512 * 315 + 315;
  ASSERT_EQ(convolutions + normalisation + head, 7'899'339);
  std::int64_t count = 0;
  for (const torch::Tensor& p : yolo()->parameters()) count += p.numel();
  EXPECT_EQ(count, 7'899'339);
}

TEST(YoloTiny, TellsOfThreeBoxesAtEachOfThirteenByThirteenPlaces) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor output = yolo()->forward(torch::ones({1, 3, 416, 416}));
  EXPECT_EQ(output.sizes(), (Sizes{1, 3 * 105, 13, 13}));
  EXPECT_TRUE(output.isfinite().all().item<bool>());  // The padding's infinity went nowhere.
}

TEST(YoloTiny, TakesOtherSizesAndBatches) {
  const torch::NoGradGuard no_grad;
  EXPECT_EQ(yolo()->forward(torch::ones({2, 3, 64, 96})).sizes(), (Sizes{2, 315, 2, 3}));
}

TEST(YoloTiny, CostIsThatOfItsShapes) {
  EXPECT_NEAR(yolo_tiny_mmac(100, 416), 2139.9, 0.1);
  EXPECT_NEAR(yolo_tiny_mmac(100, 416) - yolo_tiny_mmac(99, 416), 3 * 512 * 169 / 1e6, 1e-6);
}

}  // namespace
}  // namespace models
