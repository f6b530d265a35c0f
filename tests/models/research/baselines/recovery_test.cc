#include "models/research/baselines/recovery.h"

#include <gmock/gmock.h>

#include <limits>

#include "tests/models/toy_models.h"

namespace models {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Logits whose best class is `classes[i]` for image i; no answer where it is negative.
std::vector<float> logits(const std::vector<int>& classes) {
  std::vector<float> rows;
  for (const int label : classes) {
    for (int c = 0; c < 4; ++c) rows.push_back(label < 0 ? kNan : (c == label ? 1.0f : 0.0f));
  }
  return rows;
}

Dataset labelled(std::vector<int> labels) {
  Dataset data = toy_data(labels.size(), 1);
  data.labels = std::move(labels);
  return data;
}

TEST(Recovery, CountsTheRightAndTheAgreeingAnswers) {
  const Dataset data = labelled({0, 1, 2, 3});
  const Recovery got =
      recovery_of(logits({0, 1, 2, 0}), logits({0, 0, -1, 0}), logits({0, 1, 2, 0}), data);
  EXPECT_DOUBLE_EQ(got.answered, 0.75);
  EXPECT_DOUBLE_EQ(got.recovered, 0.25);
  EXPECT_DOUBLE_EQ(got.agreement, 0.5);  // Wrong with the s-CNN on the last image counts too.
  EXPECT_DOUBLE_EQ(got.overall(0), 0.75);
  EXPECT_DOUBLE_EQ(got.overall(0.1), 0.9 * 0.75 + 0.1 * 0.25);
}

}  // namespace
}  // namespace models
