#include "models/research/baselines/berrut.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace models {
namespace {

using ::testing::Each;
using ::testing::FloatNear;
using ::testing::Pointwise;

const float kRoot = std::sqrt(2.0f);

// One number an image: the points a_j themselves, so that the encoded curve is a ramp.
std::vector<float> ramp(int queries) {
  std::vector<float> points;
  for (int j = 0; j < queries; ++j) {
    points.push_back(static_cast<float>(std::cos((2 * j + 1) * std::numbers::pi / (2 * queries))));
  }
  return points;
}

std::vector<bool> all_but(std::size_t workers, std::size_t missing) {
  std::vector<bool> arrived(workers, true);
  arrived.at(missing) = false;
  return arrived;
}

// How far off the worst answer to a ramp is, whichever one coded query straggles.
template <class Function>
float worst_error(int queries, Function f) {
  const CurveCode code = berrut_code(queries, 1);
  const std::vector<float> inputs = ramp(queries);
  const std::vector<float> coded = code.encode(inputs, 1);
  float worst = 0;
  for (std::size_t missing = 0; missing < code.workers(); ++missing) {
    std::vector<float> answers;
    for (const float x : coded) answers.push_back(f(x));
    answers[missing] = std::nanf("");  // Must not be read.
    const std::vector<float> decoded = code.decode(answers, all_but(coded.size(), missing), 1);
    for (std::size_t j = 0; j < inputs.size(); ++j) {
      const float error = std::abs(decoded[j] - f(inputs[j]));
      worst = std::max(worst, std::isnan(error) ? std::numeric_limits<float>::infinity() : error);
    }
  }
  return worst;
}

TEST(BerrutCode, EncodesAsComputedByHand) {
  const CurveCode code = berrut_code(2, 1);  // a = 1/sqrt 2, -1/sqrt 2; b = 1, 0, -1.
  EXPECT_EQ(code.workers(), 3u);
  // At b_0 the weights are as 1/(1 - a_0) to -1/(1 + a_0), so (1 + sqrt 2)/2 and (1 - sqrt 2)/2;
  // at b_1 they are equal; b_2 mirrors b_0.
  const float more = (1 + kRoot) / 2;
  const float less = (1 - kRoot) / 2;
  const std::vector<float> images = {1, 10,  // Two numbers an image.
                                     3, -10};
  EXPECT_THAT(code.encode(images, 2),
              Pointwise(FloatNear(1e-5f), {more + 3 * less, 10 * more - 10 * less, 2.0f, 0.0f,
                                           less + 3 * more, 10 * less - 10 * more}));
}

TEST(BerrutCode, DecodesAsComputedByHand) {
  const CurveCode code = berrut_code(2, 1);
  const std::vector<float> answers = {1, 10, 100};
  // At a_0 the weights are as 2 + sqrt 2, sqrt 2 and -(2 - sqrt 2).
  const float near = (2 + kRoot) / (3 * kRoot);
  const float far = -(2 - kRoot) / (3 * kRoot);
  EXPECT_THAT(
      code.decode(answers, {true, true, true}, 1),
      Pointwise(FloatNear(1e-4f), {near + 10.0f / 3 + 100 * far, far + 10.0f / 3 + 100 * near}));
  // Between b_0 and b_2 alone it is the straight line.
  EXPECT_THAT(code.decode(answers, {true, false, true}, 1),
              Pointwise(FloatNear(1e-4f), {50.5f - 49.5f / kRoot, 50.5f + 49.5f / kRoot}));
}

TEST(BerrutCode, AConstantIsReproduced) {
  for (const int queries : {1, 2, 3, 9}) {
    for (const int stragglers : {1, 2}) {
      const CurveCode code = berrut_code(queries, stragglers);
      const std::vector<float> alike(static_cast<std::size_t>(queries) * 2, 7.0f);
      const std::vector<float> coded = code.encode(alike, 2);
      EXPECT_THAT(coded, Each(FloatNear(7, 1e-5f)));
      for (std::size_t missing = 0; missing < code.workers(); ++missing) {
        EXPECT_THAT(code.decode(coded, all_but(code.workers(), missing), 2),
                    Each(FloatNear(7, 1e-4f)));
      }
    }
  }
}

TEST(BerrutCode, APointThatIsANodeHasThatNodesValue) {
  const CurveCode code = berrut_code(3, 2);  // a_1 and b_2 are both 0.
  const std::vector<float> coded = code.encode(std::vector<float>{5, 6, 7}, 1);
  EXPECT_EQ(coded[2], 6);
  const std::vector<float> decoded =
      code.decode(std::vector<float>{1, 2, 3, 4, 5}, {true, true, true, false, true}, 1);
  EXPECT_EQ(decoded[1], 3);
}

TEST(BerrutCode, AnEvenNumberOfAnswersToALineGivesTheLine) {
  const auto line = [](float x) { return 2 * x + 1; };
  EXPECT_LT(worst_error(4, line), 1e-5f);
  EXPECT_LT(worst_error(12, line), 1e-5f);
}

TEST(BerrutCode, AnOddNumberOfAnswersToALineApproximatesIt) {
  const auto line = [](float x) { return 2 * x + 1; };
  EXPECT_LT(worst_error(5, line), 0.6f);
  EXPECT_LT(worst_error(17, line), 0.15f);
}

// The function runs from 0.37 to 2.7.
TEST(BerrutCode, ASmoothFunctionIsApproximatedBetterTheMoreQueriesThereAre) {
  const auto f = [](float x) { return std::exp(x); };
  EXPECT_LT(worst_error(8, f), 0.12f);
  EXPECT_LT(worst_error(32, f), 0.03f);
}

}  // namespace
}  // namespace models
