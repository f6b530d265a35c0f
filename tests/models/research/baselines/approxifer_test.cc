#include "models/research/baselines/approxifer.h"

#include <gtest/gtest.h>

#include <numeric>

#include "models/research/baselines/recovery.h"
#include "models/research/data/batch_tensors.h"
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
  const CodedAnswers coded = coded_answers(brightness_of_quarters, data, 4, 1);
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
  const CodedAnswers once = coded_answers(brightness_of_quarters, data, 8, 5);
  EXPECT_EQ(once.straggled, coded_answers(brightness_of_quarters, data, 8, 5).straggled);
  EXPECT_NE(once.straggled, coded_answers(brightness_of_quarters, data, 8, 6).straggled);
}

}  // namespace
}  // namespace models
