#include "models/research/nets/grid_net.h"

#include <gmock/gmock.h>

#include "models/research/nets/catalogue.h"

namespace models {
namespace {

Architecture small(int grid) {
  return {.name = "small",
          .grid = grid,
          .tile_width = 8,
          .tile_height = 8,
          .channels = 1,
          .classes = 4,
          .stem_width = 4,
          .stem_halves = false,
          .stages = {{.width = 6, .blocks = 1, .halve = true}}};
}

TEST(GridNet, GivesOneRowOfLogitsForEachCell) {
  const torch::NoGradGuard no_grad;
  for (int grid = 2; grid <= 5; ++grid) {
    GridNet net(small(grid), 1);
    net->eval();
    EXPECT_EQ(net->forward(torch::zeros({3, 1, grid * 8, grid * 8})).sizes(),
              (std::vector<std::int64_t>{3, grid * grid, 4}));
  }
  GridNet single(small(1), 1);
  single->eval();
  EXPECT_EQ(single->forward(torch::zeros({3, 1, 8, 8})).sizes(), (std::vector<std::int64_t>{3, 4}));
}

TEST(GridNet, HasAsManyParametersAsItsArchitectureSays) {
  const Subject grey{.tile = {.width = 28, .height = 28, .channels = 1}, .classes = 10};
  const Subject colour{.tile = {.width = 32, .height = 32, .channels = 3}, .classes = 10};
  for (const Architecture& a :
       {single_architecture(grey), collage_architecture(grey, 3), detect_architecture(grey, 3),
        single_architecture(colour), collage_architecture(colour, 5)}) {
    std::int64_t count = 0;
    for (const torch::Tensor& p : GridNet(a, 1)->parameters()) count += p.numel();
    EXPECT_EQ(count, parameter_count(a)) << a.name;
  }
}

TEST(GridNet, OneSeedGivesTheSameWeightsAndAnotherOthers) {
  const auto first_weight = [](std::uint64_t seed) {
    return GridNet(small(3), seed)->parameters().front();
  };
  EXPECT_TRUE(first_weight(1).equal(first_weight(1)));
  EXPECT_FALSE(first_weight(1).equal(first_weight(2)));
}

class CellOf : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(MeanAndConvolution, CellOf, ::testing::Values(0, 5));

TEST_P(CellOf, ATileAnswersForIt) {
  const torch::NoGradGuard no_grad;
  Architecture a = small(3);
  a.cell_width = GetParam();
  GridNet net(a, 1);
  net->eval();
  const torch::Tensor blank = net->forward(torch::zeros({1, 1, 24, 24}));
  for (std::int64_t slot = 0; slot < 9; ++slot) {
    torch::Tensor picture = torch::zeros({1, 1, 24, 24});
    const std::int64_t y = slot / 3 * 8;
    const std::int64_t x = slot % 3 * 8;
    picture.slice(2, y, y + 8).slice(3, x, x + 8).fill_(1.0);
    const torch::Tensor moved = (net->forward(picture) - blank).abs().sum(2)[0];
    EXPECT_EQ(moved.argmax().item<std::int64_t>(), slot);
  }
}

TEST(GridNet, ADetectHeadGivesARowForEachAnchorOfEachPlace) {
  const torch::NoGradGuard no_grad;
  Architecture a = small(3);
  a.head = Head::detect;
  GridNet net(a, 1);
  net->eval();
  EXPECT_EQ(net->forward(torch::zeros({2, 1, 24, 24})).sizes(),
            (std::vector<std::int64_t>{2, 12 * 12 * kAnchors, 5 + 4}));
}

TEST(GridNet, AStageMayHalveByPooling) {
  const torch::NoGradGuard no_grad;
  Architecture a = small(2);
  a.stages[0] = {.width = 6, .blocks = 1, .halve = false, .pool = true};
  GridNet net(a, 1);
  net->eval();
  EXPECT_EQ(a.map_width(), 8);
  EXPECT_EQ(net->forward(torch::zeros({1, 1, 16, 16})).sizes(),
            (std::vector<std::int64_t>{1, 4, 4}));
}

// What comes out of a fitted stem before the ReLU would have as many components of variance 1 as a
// patch has numbers; the ReLU and its mirror image add up to it again.
TEST(Whiten, MakesPatchesUncorrelatedWithVarianceOne) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  const torch::Tensor noise = torch::randn({40, 2, 12, 12});
  const torch::Tensor mixed = noise + noise.roll(1, 3) + noise.select(1, 0).unsqueeze(1);
  const torch::Tensor pictures = mixed - mixed.mean();
  Whiten stem(2);
  stem->conv_shift().zero_();
  stem->fit(pictures);
  const torch::Tensor out = stem->forward(pictures).slice(2, 0, 11).slice(3, 0, 11);
  const torch::Tensor whole = out.slice(1, 0, 8) - out.slice(1, 8, 16);
  const torch::Tensor rows = whole.permute({1, 0, 2, 3}).reshape({8, -1});
  const torch::Tensor covariance = rows.matmul(rows.t()) / static_cast<double>(rows.size(1));
  EXPECT_TRUE(covariance.allclose(torch::eye(8), 0, 0.02)) << covariance;
}

TEST(Whiten, IsLeftAloneByTraining) {
  Architecture a = small(1);
  a.whitened = true;
  a.stem_width = 8;
  GridNet net(a, 1);
  std::int64_t fixed = 0;
  for (const torch::Tensor& p : net->parameters()) fixed += p.requires_grad() ? 0 : p.numel();
  EXPECT_EQ(fixed, 8 * 4);
}

}  // namespace
}  // namespace models
