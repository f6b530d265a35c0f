#include "models/research/data/batch_tensors.h"

#include <gtest/gtest.h>

#include "models/research/data/tiling.h"

namespace models {
namespace {

constexpr TileShape kShape{.width = 2, .height = 1, .channels = 3};
const Normalisation kNormalisation{.mean = {0, 0.5, 1}, .deviation = {1, 0.5, 2}};

TEST(Assemble, PutsEachTileIntoItsCellNormalisedChannelByChannel) {
  const std::vector<std::uint8_t> tiles = {255, 255, 255, 0,  0,  0,  //
                                           51,  51,  51,  51, 51, 51};
  const std::vector<std::int64_t> tilings = {1, kBlank, 0, kBlank};
  const torch::Tensor input = assemble(tiles, kShape, kNormalisation, tilings, 2);
  ASSERT_EQ(input.sizes(), (std::vector<std::int64_t>{1, 3, 2, 4}));
  const auto at = [&](int c, int y, int x) { return input[0][c][y][x].item<float>(); };
  EXPECT_NEAR(at(0, 0, 0), 0.2, 1e-6);
  EXPECT_NEAR(at(1, 0, 1), (0.2 - 0.5) / 0.5, 1e-6);
  EXPECT_NEAR(at(2, 0, 0), (0.2 - 1) / 2, 1e-6);
  EXPECT_NEAR(at(0, 1, 0), 1, 1e-6);
  EXPECT_NEAR(at(1, 1, 1), -1, 1e-6);
}

TEST(Assemble, ABlankSlotIsBlackBeforeNormalisation) {
  const std::vector<std::uint8_t> black(6, kBlankPixel);
  const std::vector<std::int64_t> blank = {kBlank};
  const std::vector<std::int64_t> first = {0};
  EXPECT_TRUE(assemble({}, kShape, kNormalisation, blank, 1)
                  .equal(assemble(black, kShape, kNormalisation, first, 1)));
}

TEST(Assemble, IsChannelsLastInMemory) {
  const std::vector<std::int64_t> blank(4, kBlank);
  EXPECT_TRUE(
      assemble({}, kShape, kNormalisation, blank, 2).is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(GatherLabels, FollowTheTilingAndMarkBlankSlots) {
  const std::vector<int> labels = {7, 8, 9};
  const std::vector<std::int64_t> tilings = {2, kBlank, 0};
  EXPECT_TRUE(gather_labels(labels, tilings).equal(torch::tensor({9, -1, 7}, torch::kLong)));
}

}  // namespace
}  // namespace models
