#include "models/rivals/recovery.h"

#include <gmock/gmock.h>

#include <limits>

#include "tests/models/toy_models.h"

namespace models {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Logits that say class `said[i]` of image i; nothing where it is negative.
std::vector<float> says(const std::vector<int>& said) {
  std::vector<float> rows;
  for (const int label : said) {
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
      recovery_of(says({0, 1, 2, 0}), says({0, 0, -1, 0}), says({0, 1, 2, 0}), data);
  EXPECT_DOUBLE_EQ(got.answered, 0.75);
  EXPECT_DOUBLE_EQ(got.recovered, 0.25);
  EXPECT_DOUBLE_EQ(got.agreement, 0.5);  // Wrong with the s-CNN on the last image counts too.
  EXPECT_DOUBLE_EQ(got.overall(0), 0.75);
  EXPECT_DOUBLE_EQ(got.overall(0.1), 0.9 * 0.75 + 0.1 * 0.25);
}

// An s-CNN that is linear in its picture, so that mixtures of pictures are mixtures of answers.
std::vector<float> brightness_of_quarters(std::span<const float> image) {
  std::vector<float> sums(4);
  for (std::size_t p = 0; p < 64; ++p) {
    sums[(p / 8 >= 4 ? 2 : 0) + (p % 8 >= 4 ? 1 : 0)] += image[p];
  }
  return sums;
}

TEST(CodedAnswers, OfALinearNetworkAreNearlyRightWhenAllArriveAndWorseWhenOneDoesNot) {
  const Dataset data = toy_data(205, 3);  // The last group is filled up.
  const CodedAnswers coded = coded_answers(brightness_of_quarters, data, 4, 1);
  std::vector<float> alone;
  for (std::size_t i = 0; i < data.size(); ++i) {
    std::vector<float> image;
    for (const std::uint8_t p : data.tile(i)) {
      image.push_back(static_cast<float>((p / 255.0 - 0.4) / 0.3));
    }
    const std::vector<float> row = brightness_of_quarters(image);
    alone.insert(alone.end(), row.begin(), row.end());
  }
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
