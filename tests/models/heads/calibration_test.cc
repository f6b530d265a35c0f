#include "models/heads/calibration.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "wire/random.h"

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::IsNan;

TEST(Softmax, RowsAreProbabilitiesDividedByTheTemperature) {
  const std::vector<float> logits = {0.0f, std::log(3.0f), 2.0f, 2.0f};
  EXPECT_THAT(softmax_rows(logits, 2, 1.0),
              ElementsAre(FloatNear(0.25f, 1e-6f), FloatNear(0.75f, 1e-6f), FloatNear(0.5f, 1e-6f),
                          FloatNear(0.5f, 1e-6f)));
  EXPECT_NEAR(softmax_rows(logits, 2, 2.0)[1], std::sqrt(3.0) / (1 + std::sqrt(3.0)), 1e-6);
}

TEST(Softmax, HugeLogitsDoNotOverflow) {
  EXPECT_THAT(softmax_rows(std::vector{3e38f, -3e38f}, 2, 0.1), ElementsAre(1.0f, 0.0f));
}

TEST(Softmax, ARowThatIsNotFiniteIsNoProbabilityAndItsNeighbourIs) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {inf, -inf, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THAT(softmax_rows(std::vector{bad, 0.0f, 1.0f, 1.0f}, 2, 1.0),
                ElementsAre(IsNan(), IsNan(), 0.5f, 0.5f));
  }
}

TEST(Temperature, OfLogitsScaledUpIsFoundAgain) {
  wire::Rng rng(1);
  std::vector<float> logits;
  std::vector<int> labels;
  for (int i = 0; i < 20000; ++i) {
    std::vector<float> row = {static_cast<float>(rng.normal()), static_cast<float>(rng.normal()),
                              static_cast<float>(rng.normal())};
    const std::vector<float> p = softmax_rows(row, 3, 1.0);
    const double u = rng.uniform();
    labels.push_back(u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2);
    for (const float z : row) logits.push_back(2.5f * z);
  }
  EXPECT_NEAR(fit_temperature(logits, labels, 3), 2.5, 0.1);
}

TEST(CalibrationError, OfHandmadeBinsIsTheWeightedGap) {
  // Two of confidence 0.9, one right: gap |0.5 - 0.9|; two of 0.6, both right: gap |1 - 0.6|.
  const std::vector<float> p = {0.9f, 0.1f, 0.9f, 0.1f, 0.4f, 0.6f, 0.4f, 0.6f};
  const std::vector<int> labels = {0, 1, 1, 1};
  EXPECT_NEAR(expected_calibration_error(p, labels, 2), 0.5 * 0.4 + 0.5 * 0.4, 1e-6);
}

TEST(CalibrationError, LeavesBlankSlotsOut) {
  const std::vector<float> p = {1.0f, 0.0f, 0.0f, 1.0f};
  EXPECT_NEAR(expected_calibration_error(p, std::vector{0, -1}, 2), 0.0, 1e-9);
}

TEST(Accuracy, CountsTheLowestOfTheBestClassesAndLeavesBlankSlotsOut) {
  const std::vector<float> rows = {0.5f, 0.5f, 0.1f, 0.9f, 0.9f, 0.1f};
  EXPECT_DOUBLE_EQ(accuracy(rows, std::vector{0, 0, -1}, 2), 0.5);
}

TEST(BestClass, IsTheLowestAmongEqualsAndNoneOfARowThatIsNotFinite) {
  EXPECT_EQ(best_class(std::vector{0.1f, 0.7f, 0.7f}), 1u);
  EXPECT_EQ(best_class(std::vector{0.9f, std::numeric_limits<float>::quiet_NaN()}), std::nullopt);
}

TEST(Calibration, ARowThatIsNoAnswerIsNeverRightAndDoesNotCountForCalibration) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> rows = {0.9f, 0.1f, nan, nan};
  const std::vector<int> labels = {0, 0};
  EXPECT_DOUBLE_EQ(accuracy(rows, labels, 2), 0.5);
  EXPECT_NEAR(expected_calibration_error(rows, labels, 2), 0.1, 1e-6);
  const std::vector<float> logits = {3, 0, 1, 0, nan, nan};
  const std::vector<int> truths = {0, 1, 0};
  const std::vector<float> answered(logits.begin(), logits.begin() + 4);
  const std::vector<int> answered_truths = {0, 1};
  EXPECT_DOUBLE_EQ(fit_temperature(logits, truths, 2),
                   fit_temperature(answered, answered_truths, 2));
}

}  // namespace
}  // namespace models
