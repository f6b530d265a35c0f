#include "models/research/nets/resnet.h"

#include <gmock/gmock.h>

namespace models {
namespace {

using Sizes = std::vector<std::int64_t>;

// Built once: 21 million weights are drawn.
ResNet34& resnet() {
  static ResNet34 net = [] {
    ResNet34 made(1000);
    made->eval();
    return made;
  }();
  return net;
}

TEST(ResNet34, HasAsManyParametersAsThePublishedOne) {
  std::int64_t count = 0;
  for (const torch::Tensor& p : resnet()->parameters()) count += p.numel();
  EXPECT_EQ(count, 21'797'672);
}

TEST(ResNet34, ItsLastMapIsSevenBySevenAtThePublishedSize) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor picture = torch::ones({1, 3, 224, 224});
  const torch::Tensor map = resnet()->features(picture);
  EXPECT_EQ(map.sizes(), (Sizes{1, 512, 7, 7}));
  EXPECT_GE(map.min().item<float>(), 0);  // After ReLU.
}

TEST(ResNet34, GivesARowOfLogitsForAPictureOfAnySize) {
  const torch::NoGradGuard no_grad;
  EXPECT_EQ(resnet()->forward(torch::ones({2, 3, 64, 96})).sizes(), (Sizes{2, 1000}));
  EXPECT_EQ(resnet()->features(torch::ones({1, 3, 65, 33})).sizes(), (Sizes{1, 512, 3, 2}));
}

TEST(ResNet34, ABlockThatChangesNothingInItsBranchPassesItsInputOn) {
  const torch::NoGradGuard no_grad;
  BasicBlock same(4, 4, 1);
  for (torch::Tensor& p : same->parameters()) p.zero_();
  const torch::Tensor x = torch::rand({1, 4, 5, 5});
  EXPECT_TRUE(same->forward(x).equal(x));
  BasicBlock halving(4, 8, 2);
  EXPECT_EQ(halving->forward(x).sizes(), (Sizes{1, 8, 3, 3}));
}

TEST(ResNet34, CostIsThatOfItsShapes) {
  EXPECT_NEAR(resnet34_mmac(1000, 224), 3663.8, 0.1);
  EXPECT_NEAR(resnet34_mmac(1000, 224) - resnet34_mmac(10, 224), 512 * 990 / 1e6, 1e-6);
}

}  // namespace
}  // namespace models
