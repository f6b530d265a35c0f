#include "models/research/nets/draw_weights.h"

#include <gmock/gmock.h>

namespace models {
namespace {

using torch::nn::BatchNorm2d;
using torch::nn::Conv2d;
using torch::nn::Conv2dOptions;
using torch::nn::Linear;

TEST(DrawWeights, OneSeedGivesTheSameWeightsAndAnotherOthers) {
  const auto drawn = [](std::uint64_t seed) {
    Linear layer(5, 3);
    draw_weights(*layer, seed);
    return layer->weight.detach().clone();
  };
  EXPECT_TRUE(drawn(1).equal(drawn(1)));
  EXPECT_FALSE(drawn(1).equal(drawn(2)));
}

TEST(DrawWeights, TheirVarianceFollowsFromTheFanIn) {
  Conv2d convolution(Conv2dOptions(16, 64, 3));
  Linear linear(100, 100);
  draw_weights(*convolution, 1);
  draw_weights(*linear, 1);
  EXPECT_NEAR(convolution->weight.var().item<double>(), 2.0 / (16 * 9), 0.001);
  EXPECT_NEAR(linear->weight.var().item<double>(), 1.0 / 100, 0.001);
}

TEST(DrawWeights, BiasesBecomeNoughtAndScalesOfBatchNormalisationStay) {
  Conv2d convolution(Conv2dOptions(1, 2, 3));
  BatchNorm2d norm(2);
  {
    const torch::NoGradGuard no_grad;
    convolution->bias.fill_(5);
    norm->weight.fill_(5);
    norm->bias.fill_(5);
  }
  draw_weights(*torch::nn::Sequential(convolution, norm), 1);
  EXPECT_TRUE(convolution->bias.eq(0).all().item<bool>());
  EXPECT_TRUE(norm->weight.eq(5).all().item<bool>());
  EXPECT_TRUE(norm->bias.eq(0).all().item<bool>());
}

}  // namespace
}  // namespace models
