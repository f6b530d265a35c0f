#include "models/serving/output_tensor.h"

#include <gmock/gmock.h>

#include <limits>

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const torch::Tensor kRow = torch::tensor({{1.0f, -2.0f, 0.5f}});
const torch::Tensor kOther = torch::tensor({{9.0f}});

auto refused(const std::string& what) { return ThrowsMessage<std::runtime_error>(HasSubstr(what)); }

c10::IValue dict_of(const char* key, const torch::Tensor& value) {
  c10::Dict<std::string, torch::Tensor> dict;
  dict.insert(key, value);
  return dict;
}

TEST(ScoresOf, ATensorIsItself) { EXPECT_TRUE(scores_of(kRow, {}).equal(kRow)); }

TEST(ScoresOf, OfATupleOrAListTheFirstCounts) {
  EXPECT_TRUE(scores_of(c10::ivalue::Tuple::create({kRow, kOther}), {}).equal(kRow));
  EXPECT_TRUE(scores_of(c10::List<torch::Tensor>({kRow, kOther}), {}).equal(kRow));
}

TEST(ScoresOf, OfADictTheOneOfTheKeyCounts) {
  EXPECT_TRUE(scores_of(dict_of("out", kRow), {.key = "out"}).equal(kRow));
}

TEST(ScoresOf, NumbersOfEveryPrecisionBecomeFloat) {
  for (const auto type : {torch::kDouble, torch::kHalf, torch::kBFloat16}) {
    const torch::Tensor scores = scores_of(kRow.to(type), {});
    EXPECT_EQ(scores.scalar_type(), torch::kFloat);
    EXPECT_TRUE(scores.equal(kRow));
  }
}

TEST(ScoresOf, WhatHasNoTensorIsDescribed) {
  EXPECT_THAT([] { scores_of(dict_of("out", kRow), {}); },
              refused("returns a dict with out; output.key in its manifest must name"));
  EXPECT_THAT([] { scores_of(dict_of("out", kRow), {.key = "aux"}); },
              refused("returns a dict with out, but its manifest has output.key aux"));
  EXPECT_THAT([] { scores_of(kRow, {.key = "out"}); },
              refused("returns Float [1, 3], but its manifest has output.key out"));
  EXPECT_THAT(
      [] {
        scores_of(c10::ivalue::Tuple::create({c10::IValue(1), kOther}), {});
      },
      refused("returns a tuple of 2: a value of type Int, Float [1, 1], expected a tensor"));
  EXPECT_THAT([] { scores_of(c10::IValue(), {}); }, refused("returns a value of type None"));
}

TEST(ScoresOf, ALongListIsDescribedInAFewWords) {
  EXPECT_THAT(
      [] {
        scores_of(c10::List<std::int64_t>({1, 2, 3, 4, 5}), {});
      },
      refused("returns a list of 5: a value of type Int, a value of type Int, a value of "
              "type Int, .., expected a tensor"));
}

TEST(LogitsOf, ProbabilitiesGiveTheSameSoftmax) {
  const torch::Tensor probabilities = kRow.softmax(-1);
  const torch::Tensor logits = logits_of(probabilities, {.scores = Scores::probabilities});
  EXPECT_TRUE(logits.softmax(-1).allclose(probabilities));
  EXPECT_FALSE(kRow.softmax(-1).softmax(-1).allclose(probabilities));
}

TEST(LogitsOf, NoProbabilityIsNoInfinity) {
  const torch::Tensor certain = torch::tensor({{1.0f, 0.0f}});
  EXPECT_TRUE(logits_of(certain, {.scores = Scores::probabilities}).isfinite().all().item<bool>());
}

TEST(LogitsOf, WhatIsNoNumberStaysNone) {
  const torch::Tensor broken = torch::tensor({{std::numeric_limits<float>::quiet_NaN(), 0.5f}});
  const torch::Tensor logits = logits_of(broken, {.scores = Scores::probabilities});
  EXPECT_TRUE(logits[0][0].isnan().item<bool>());
}

}  // namespace
}  // namespace models
