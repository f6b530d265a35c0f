#include "models/research/baselines/smoothing_spline.h"

#include <gmock/gmock.h>

#include <cmath>

namespace models {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

// The spline by `values` at `nodes`, at z.
double at(double z, double lambda, const std::vector<double>& nodes,
          const std::vector<double>& values) {
  const std::vector<double> weights = smoothing_spline(lambda)(z, nodes);
  double sum = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) sum += weights.at(i) * values[i];
  return sum;
}

const std::vector<double> kThree = {2, 1, 0};
const std::vector<double> kSeven = {0.97, 0.78, 0.43, 0.1, -0.43, -0.78, -0.97};

// One inner node, so one equation: (2/3 + 6 lambda) g''(1) = -2, and g''(1) = -0.3.
TEST(SmoothingSpline, IsAsComputedByHand) {
  const std::vector<double> peak = {0, 1, 0};
  EXPECT_NEAR(at(0, 1, kThree, peak), 0.3, 1e-12);
  EXPECT_NEAR(at(1, 1, kThree, peak), 0.4, 1e-12);
  EXPECT_NEAR(at(2, 1, kThree, peak), 0.3, 1e-12);
  EXPECT_NEAR(at(0.5, 1, kThree, peak), 0.35 + 0.01875, 1e-12);
  // Beyond the last node with the slope that it has there: -0.1 - 0.3 / 6.
  EXPECT_NEAR(at(3, 1, kThree, peak), 0.15, 1e-12);
  EXPECT_NEAR(at(-1, 1, kThree, peak), 0.15, 1e-12);
}

TEST(SmoothingSpline, OfNoSmoothnessPassesThroughAllValues) {
  const std::vector<double> values = {3, -1, 4, 1, -5, 9, 2};
  for (std::size_t i = 0; i < kSeven.size(); ++i) {
    EXPECT_NEAR(at(kSeven[i], 0, kSeven, values), values[i], 1e-9);
  }
}

TEST(SmoothingSpline, HasASlopeThatDoesNotJump) {
  const std::vector<double> values = {3, -1, 4, 1, -5, 9, 2};
  constexpr double kStep = 1e-6;
  for (const double knot : kSeven) {
    const double here = at(knot, 1e-3, kSeven, values);
    const double before = (here - at(knot - kStep, 1e-3, kSeven, values)) / kStep;
    const double after = (at(knot + kStep, 1e-3, kSeven, values) - here) / kStep;
    EXPECT_NEAR(before, after, 1e-2) << "at " << knot;
  }
}

TEST(SmoothingSpline, ReproducesALineHoweverSmooth) {
  std::vector<double> line;
  for (const double node : kSeven) line.push_back(2 * node + 1);
  for (const double lambda : {0.0, 1e-4, 1.0, 1e3}) {
    for (const double z : {-1.0, -0.5, 0.0, 0.98, 1.5}) {
      EXPECT_NEAR(at(z, lambda, kSeven, line), 2 * z + 1, 1e-6) << lambda;
    }
  }
}

TEST(SmoothingSpline, ThatIsVerySmoothIsTheLineOfLeastSquares) {
  // Through (0, 1), (1, 0) and (2, 2): slope 1/2 through the mean (1, 1).
  const std::vector<double> values = {2, 0, 1};
  for (const double z : {-1.0, 0.0, 0.7, 2.0}) {
    EXPECT_NEAR(at(z, 1e9, kThree, values), 1 + (z - 1) / 2, 1e-6);
  }
}

TEST(SplineCode, RecoversASmoothFunctionOfALineWithOneAnswerMissing) {
  const CurveCode code = spline_code(8, 12, {});
  std::vector<float> inputs;
  for (int j = 0; j < 8; ++j) {
    inputs.push_back(static_cast<float>(std::cos((2 * j + 1) * 3.14159265358979 / 16)));
  }
  const std::vector<float> coded = code.encode(inputs, 1);
  EXPECT_EQ(coded.size(), 12u);
  std::vector<float> right;
  for (const float x : inputs) right.push_back(std::exp(x));
  for (std::size_t missing = 0; missing < code.workers(); ++missing) {
    std::vector<float> answers;
    for (const float x : coded) answers.push_back(std::exp(x));
    answers[missing] = std::nanf("");  // Must not be read.
    std::vector<bool> arrived(code.workers(), true);
    arrived[missing] = false;
    EXPECT_THAT(code.decode(answers, arrived, 1), Pointwise(FloatNear(0.05f), right)) << missing;
  }
}

}  // namespace
}  // namespace models
