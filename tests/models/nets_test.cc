#include "models/nets.h"

#include <gmock/gmock.h>

namespace models {
namespace {

Architecture small(int grid) {
  Architecture a = collage_architecture(grid, 8, 1, 4);
  a.stem_width = 4;
  a.stages = {{.width = 6, .blocks = 1, .halve = true}};
  return a;
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
  for (const Architecture& a : {single_architecture(28, 1, 10), collage_architecture(3, 28, 1, 10),
                                collage_architecture(5, 32, 3, 10)}) {
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

TEST(GridNet, ACellAnswersForItsOwnTile) {
  const torch::NoGradGuard no_grad;
  GridNet net(small(3), 1);
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

}  // namespace
}  // namespace models
