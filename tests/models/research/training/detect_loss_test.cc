#include "models/research/training/detect_loss.h"

#include <gmock/gmock.h>

#include <cmath>

#include "models/research/data/tiling.h"

namespace models {
namespace {

// One tile of 8x8, a map of 2x2 places, anchors of half a tile and a whole one, 2 classes.  The
// centre (4, 4) stands at the corner of the fourth place, where the whole tile is row 7.
DetectShape shape() {
  return {.map_width = 2,
          .map_height = 2,
          .stride = {.width = 4, .height = 4},
          .anchors = {{.width = 4, .height = 4}, {.width = 8, .height = 8}},
          .classes = 2};
}
const imaging::Grid kOne{.side = 1, .tile_width = 8, .tile_height = 8};
const LossPolicy kPlain{.label_smoothing = 0};

torch::Tensor label(std::int64_t value) { return torch::tensor({value}, torch::kLong); }

// Nowhere a box: objectness -20 everywhere, all else nought.
torch::Tensor silence() {
  torch::Tensor raw = torch::zeros({1, 8, 7});
  raw.select(2, 4).fill_(-20);
  return raw;
}

double detection_loss(const torch::Tensor& raw, std::int64_t truth) {
  return detect_loss(raw, label(truth), {}, shape(), kOne, kPlain).item<double>();
}

TEST(ResponsibleRow, IsThePlaceOfTheCentreAndTheAnchorMostLikeACell) {
  EXPECT_EQ(responsible_row(shape(), kOne, 0), 7);
  const imaging::Grid four{.side = 2, .tile_width = 4, .tile_height = 4};
  EXPECT_EQ(responsible_row(shape(), four, 0), 0);
  EXPECT_EQ(responsible_row(shape(), four, 1), 2);
  EXPECT_EQ(responsible_row(shape(), four, 3), 6);
}

TEST(DetectLoss, IsWhatHandsCompute) {
  torch::Tensor raw = silence();
  raw[0][7] = torch::tensor({std::log(3.0f), 0.0f, 0.5f, 0.0f, 0.0f, std::log(3.0f), 0.0f});
  raw[0][0][4] = std::log(3.0f);  // A box where there is none: log(1 + 3).
  // The centre is nought into its place: x is 3/4 off, y 1/2, the width 0.5 too large by logarithm.
  const double box = 5 * (0.75 * 0.75 + 0.5 * 0.5 + 0.5 * 0.5);
  const double object = std::log(2.0);
  const double classes = std::log(4.0) - std::log(3.0);
  EXPECT_NEAR(detection_loss(raw, 0), box + object + classes + std::log(4.0), 1e-4);
}

TEST(DetectLoss, ABoxThatOverlapsATrueOneByHalfIsNotBlamed) {
  torch::Tensor raw = silence();
  const double before = detection_loss(raw, 0);
  // The first place's whole-tile anchor, pushed to its far corner, lies over all of the tile.
  raw[0][1] = torch::tensor({20.0f, 20.0f, 0.0f, 0.0f, 5.0f, 0.0f, 0.0f});
  EXPECT_NEAR(detection_loss(raw, 0), before, 1e-4);
  raw[0][1][0] = -20;
  raw[0][1][1] = -20;  // At the near corner it covers a quarter.
  EXPECT_GT(detection_loss(raw, 0), before + 4);
}

TEST(DetectLoss, ABlankSlotHasNoBox) {
  torch::Tensor raw = torch::cat({silence(), silence()});
  raw[1][7][4] = 3;
  const torch::Tensor labels = torch::tensor({std::int64_t{0}, kBlank});
  const double got = detect_loss(raw, labels, {}, shape(), kOne, kPlain).item<double>();
  const double alone = detection_loss(silence(), 0);
  EXPECT_NEAR(got, alone + std::log(1 + std::exp(3.0)), 1e-4);
}

// Central differences against the gradient that training uses, in double precision.
TEST(DetectLoss, ItsGradientIsTheSlopeOfItsValue) {
  torch::manual_seed(1);
  torch::Tensor raw = torch::randn({2, 8, 7}, torch::kDouble);
  raw.set_requires_grad(true);
  const torch::Tensor labels = torch::tensor({std::int64_t{1}, std::int64_t{0}});
  const torch::Tensor teacher = torch::randn({2, 2}, torch::kDouble);
  const LossPolicy policy{.label_smoothing = 0.1, .distill_share = 0.5, .distill_temperature = 2.0};
  const auto value = [&](const torch::Tensor& at) {
    return detect_loss(at, labels, teacher, shape(), kOne, policy);
  };
  value(raw).backward();
  const torch::Tensor gradient = raw.grad().flatten();
  constexpr double kStep = 1e-5;
  for (std::int64_t i = 0; i < raw.numel(); ++i) {
    torch::Tensor up = raw.detach().clone();
    torch::Tensor down = raw.detach().clone();
    up.flatten()[i] += kStep;
    down.flatten()[i] -= kStep;
    const double slope = (value(up) - value(down)).item<double>() / (2 * kStep);
    EXPECT_NEAR(gradient[i].item<double>(), slope, 1e-6) << i;
  }
}

}  // namespace
}  // namespace models
