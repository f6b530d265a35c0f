#include "models/research/training/losses.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "models/research/data/dataset.h"
#include "models/research/data/tiling.h"

namespace models {
namespace {

const double kThreeQuarters = std::log(3.0) - std::log(4.0);  // log of 3/4
const double kQuarter = -std::log(4.0);                       // log of 1/4

// One row whose softmax is 3/4, 1/4.
torch::Tensor row() { return torch::tensor({{static_cast<float>(std::log(3.0)), 0.0f}}); }

double loss(const torch::Tensor& logits, std::int64_t label, const torch::Tensor& teacher,
            const LossPolicy& policy) {
  return slot_loss(logits, torch::tensor({label}, torch::kLong), teacher, policy).item<double>();
}

TEST(SlotLoss, OfALabelIsItsNegativeLogProbability) {
  const LossPolicy policy{.label_smoothing = 0};
  EXPECT_NEAR(loss(row(), 0, {}, policy), -kThreeQuarters, 1e-6);
  EXPECT_NEAR(loss(row(), 1, {}, policy), -kQuarter, 1e-6);
}

TEST(SlotLoss, SmoothingSpreadsItsShareOverAllClasses) {
  EXPECT_NEAR(loss(row(), 0, {}, {.label_smoothing = 0.2}), -0.9 * kThreeQuarters - 0.1 * kQuarter,
              1e-6);
}

TEST(SlotLoss, OfABlankSlotPullsTowardsBeingUnsure) {
  EXPECT_NEAR(loss(row(), kBlank, {}, {}), -0.5 * kThreeQuarters - 0.5 * kQuarter, 1e-6);
}

TEST(SlotLoss, ATeacherCountsForItsShareAtItsTemperature) {
  const LossPolicy policy{.label_smoothing = 0, .distill_share = 0.75, .distill_temperature = 2};
  const torch::Tensor teacher = torch::tensor({{0.0f, static_cast<float>(2 * std::log(4.0))}});
  // At temperature 2 the teacher gives 1/5, 4/5 and the network sqrt(3) : 1.
  const double whole = std::sqrt(3.0) + 1;
  const double distilled =
      -4 * (0.2 * std::log(std::sqrt(3.0) / whole) + 0.8 * std::log(1 / whole));
  EXPECT_NEAR(loss(row(), 0, teacher, policy), 0.25 * -kThreeQuarters + 0.75 * distilled, 1e-5);
}

TEST(SlotLoss, ATeacherHasNoSayInABlankSlot) {
  const LossPolicy policy{.label_smoothing = 0, .distill_share = 0.75, .distill_temperature = 2};
  const torch::Tensor teacher = torch::tensor({{0.0f, 50.0f}});
  EXPECT_NEAR(loss(row(), kBlank, teacher, policy), -0.5 * kThreeQuarters - 0.5 * kQuarter, 1e-6);
}

TEST(SlotLoss, ATeacherWhoseRowIsNotFiniteHasNoSay) {
  const LossPolicy policy{.label_smoothing = 0, .distill_share = 0.75, .distill_temperature = 2};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const torch::Tensor teacher = torch::tensor({{0.0f, nan}});
  EXPECT_NEAR(loss(row(), 0, teacher, policy), -kThreeQuarters, 1e-6);
  EXPECT_EQ(loss(row(), kUnlabelled, teacher, policy), 0);
}

TEST(SlotLoss, IsTheMeanOverSlots) {
  const torch::Tensor logits = torch::cat({row(), row()});
  const torch::Tensor labels = torch::tensor({0, 1}, torch::kLong);
  EXPECT_NEAR(slot_loss(logits, labels, {}, {.label_smoothing = 0}).item<double>(),
              (-kThreeQuarters - kQuarter) / 2, 1e-6);
}

TEST(SlotLoss, AMixedSlotSharesItsLabelByWeight) {
  const torch::Tensor logits = torch::cat({row(), row()});
  const torch::Tensor labels = torch::tensor({0, 0}, torch::kLong);
  const MixedLabels mixed{.labels = torch::tensor({1, 1}, torch::kLong),
                          .shares = torch::tensor({0.25F, 0.0F})};
  const double shared = -0.75 * kThreeQuarters - 0.25 * kQuarter;
  EXPECT_NEAR(slot_loss(logits, labels, {}, {.label_smoothing = 0}, mixed).item<double>(),
              (shared - kThreeQuarters) / 2, 1e-6);
}

TEST(SlotLoss, WhereThereIsNoLabelTheTeacherHasAllTheSay) {
  const LossPolicy policy{.label_smoothing = 0, .distill_share = 0.75, .distill_temperature = 1};
  const torch::Tensor teacher = torch::tensor({{0.0f, 0.0f}});
  EXPECT_NEAR(loss(row(), kUnlabelled, teacher, policy), -0.5 * kThreeQuarters - 0.5 * kQuarter,
              1e-6);
  EXPECT_EQ(loss(row(), kUnlabelled, {}, policy), 0);
}

}  // namespace
}  // namespace models
