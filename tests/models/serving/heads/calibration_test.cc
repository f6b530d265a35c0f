#include "models/serving/heads/calibration.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "machine/random.h"

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::IsNan;

TEST(Softmax, RowsAreProbabilitiesDividedByTheTemperature) {
  const std::vector<float> logits = {0.0f, std::log(3.0f), 2.0f, 2.0f};
  EXPECT_THAT(softmax_rows(logits, 2, {}),
              ElementsAre(FloatNear(0.25f, 1e-6f), FloatNear(0.75f, 1e-6f), FloatNear(0.5f, 1e-6f),
                          FloatNear(0.5f, 1e-6f)));
  EXPECT_NEAR(softmax_rows(logits, 2, {.temperature = 2})[1], std::sqrt(3.0) / (1 + std::sqrt(3.0)),
              1e-6);
}

TEST(Softmax, HugeLogitsDoNotOverflow) {
  EXPECT_THAT(softmax_rows(std::vector{3e38f, -3e38f}, 2, {.temperature = 0.1}),
              ElementsAre(1.0f, 0.0f));
}

TEST(Softmax, ARowThatIsNotFiniteIsNoProbabilityAndItsNeighbourIs) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {inf, -inf, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THAT(softmax_rows(std::vector{bad, 0.0f, 1.0f, 1.0f}, 2, {}),
                ElementsAre(IsNan(), IsNan(), 0.5f, 0.5f));
  }
}

TEST(Softmax, OfARowLikeChanceHasTheTemperatureAndOfASurerOneLess) {
  // Entropies of (1/4, 3/4) and (1/2, 1/2) as shares of log 2: 0.8113 and 1.
  const std::vector<float> logits = {0.0f, std::log(3.0f), 2.0f, 2.0f};
  const std::vector<float> p = softmax_rows(logits, 2, {.temperature = 2, .slope = 0.5});
  const double t = 2 * std::sqrt(0.811278);
  EXPECT_NEAR(p[1], 1 / (1 + std::pow(3, -1 / t)), 1e-5);
  EXPECT_FLOAT_EQ(p[3], 0.5f);
}

// Its entropy counts as 1e-4, so its temperature is 1000 x 1e-4 ^ 0.5 = 10.
TEST(Softmax, ARowThatIsCertainHasATemperatureStill) {
  const std::vector<float> p =
      softmax_rows(std::vector{30.0f, 0.0f}, 2, {.temperature = 1000, .slope = 0.5});
  EXPECT_NEAR(p[0], 1 / (1 + std::exp(-3.0)), 1e-6);
}

// Rows of three logits, and labels drawn as often as the softmax of each row, calibrated, says.
struct Drawn {
  std::vector<float> logits;
  std::vector<int> labels;
};

Drawn drawn_by(const Calibration& truth) {
  machine::Rng rng(1);
  Drawn drawn;
  for (int i = 0; i < 20000; ++i) {
    std::vector<float> row;
    for (int c = 0; c < 3; ++c) row.push_back(static_cast<float>(3 * rng.normal()));
    const std::vector<float> p = softmax_rows(row, 3, truth);
    const double u = rng.uniform();
    drawn.labels.push_back(u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2);
    drawn.logits.insert(drawn.logits.end(), row.begin(), row.end());
  }
  return drawn;
}

TEST(Calibration, IsFoundAgainFromWhatItSaid) {
  for (const Calibration truth : {Calibration{.temperature = 2.5, .slope = 0},
                                  Calibration{.temperature = 1.5, .slope = 0.3}}) {
    const Drawn drawn = drawn_by(truth);
    const Calibration found = fit_calibration(drawn.logits, drawn.labels, 3);
    EXPECT_NEAR(found.temperature, truth.temperature, 0.1);
    EXPECT_NEAR(found.slope, truth.slope, 0.04);
  }
}

TEST(Calibration, WithoutCauseHasNoSlope) {
  // Rows of one entropy, three of four right: any slope does as well as none.
  std::vector<float> alike;
  std::vector<int> labels;
  for (int i = 0; i < 4000; ++i) {
    alike.insert(alike.end(), {2, 0});
    labels.push_back(i % 4 == 0 ? 1 : 0);
  }
  const Calibration found = fit_calibration(alike, labels, 2);
  EXPECT_EQ(found.slope, 0);
  EXPECT_NEAR(found.temperature, 2 / std::log(3.0), 0.01);
}

TEST(Calibration, AFewPicturesThatAreAllRightDoNotMakeItCertain) {
  std::vector<float> right;
  for (int i = 0; i < 20; ++i) right.insert(right.end(), {static_cast<float>(2 + i), 0});
  const Calibration found = fit_calibration(right, std::vector(20, 0), 2);
  EXPECT_GT(found.temperature, 0.5);
  EXPECT_LT(found.temperature, 1.0);
  EXPECT_LT(found.slope, 0.1);
  EXPECT_LT(softmax_rows(std::vector<float>{0.5f, 0}, 2, found)[0], 0.75);
}

TEST(CalibrationDeathTest, NeedsAnAnswer) {
  const std::vector<float> none(2, std::numeric_limits<float>::quiet_NaN());
  EXPECT_DEATH(fit_calibration(none, std::vector{0}, 2), "empty");
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
  EXPECT_EQ(fit_calibration(logits, truths, 2), fit_calibration(answered, answered_truths, 2));
}

}  // namespace
}  // namespace models
