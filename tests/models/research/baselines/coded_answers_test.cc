#include "models/research/baselines/coded_answers.h"

#include <gtest/gtest.h>

#include <numeric>

#include "models/research/baselines/berrut.h"
#include "models/research/baselines/recovery.h"
#include "models/research/data/batch_tensors.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/input_tensor.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

// An s-CNN that is linear in its picture, so that mixtures of pictures are mixtures of answers.
torch::Tensor brightness_of_quarters(const torch::Tensor& images) {
  return 16 * torch::avg_pool2d(images, 4).flatten(1);
}

TEST(CodedAnswers, OfALinearNetworkAreNearlyRightWhenAllArriveAndWorseWhenOneDoesNot) {
  const Dataset data = toy_data(205, 3);  // The last group is filled up.
  const CodedAnswers coded = coded_answers(brightness_of_quarters, data, berrut_code(4, 1), 1);
  std::vector<std::int64_t> every(data.size());
  std::iota(every.begin(), every.end(), std::int64_t{0});
  const std::vector<float> alone = values_of(
      brightness_of_quarters(assemble(data.pixels, data.shape, data.normalisation, every, 1)));
  const Recovery got = recovery_of(coded.whole, coded.straggled, alone, data);
  EXPECT_GT(got.answered, 0.6);
  EXPECT_GT(got.recovered, 0.4);
  EXPECT_LT(got.recovered, got.answered);
}

TEST(CodedAnswers, OneSeedRepeats) {
  const Dataset data = toy_data(40, 3);
  const CurveCode code = berrut_code(8, 1);
  const CodedAnswers once = coded_answers(brightness_of_quarters, data, code, 5);
  EXPECT_EQ(once.straggled, coded_answers(brightness_of_quarters, data, code, 5).straggled);
  EXPECT_NE(once.straggled, coded_answers(brightness_of_quarters, data, code, 6).straggled);
}

double recovered(const Dataset& data, int workers, const Smoothness& smoothness) {
  const CodedAnswers coded =
      coded_answers(brightness_of_quarters, data, spline_code(8, workers, smoothness), 1);
  return accuracy(coded.straggled, data.labels, data.class_names.size());
}

TEST(ChooseSmoothness, FindsThePairThatRecoversMost) {
  const Dataset data = toy_data(160, 3);
  const Smoothness best = choose_smoothness(brightness_of_quarters, data, 8, 12, 1);
  const double most = recovered(data, 12, best);
  EXPECT_GT(most, 0.5);
  for (const double encoder : {0.0, 1e-4, 1e-1}) {
    for (const double decoder : {0.0, 1e-4, 1e-1}) {
      EXPECT_LE(recovered(data, 12, {encoder, decoder}), most) << encoder << ", " << decoder;
    }
  }
  EXPECT_LT(recovered(data, 12, {1e3, 1e3}), most);
}

TEST(ChooseSmoothness, MoreWorkersRecoverMore) {
  const Dataset data = toy_data(160, 3);
  const auto best = [&](int workers) {
    return recovered(data, workers, choose_smoothness(brightness_of_quarters, data, 8, workers, 1));
  };
  EXPECT_GE(best(16), best(9));
}

}  // namespace
}  // namespace models
