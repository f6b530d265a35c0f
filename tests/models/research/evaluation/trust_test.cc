#include "models/research/evaluation/trust.h"

#include <gmock/gmock.h>

#include <cmath>

namespace models {
namespace {

constexpr int kRight = 1;
constexpr int kWrong = 2;

// `count` pictures that both answer so; the truth is kRight.
void add(std::vector<AnswerPair>& pairs, int count, int single, int collage,
         double confidence = 0.9) {
  pairs.insert(pairs.end(), static_cast<std::size_t>(count),
               {.single = single, .collage = collage, .confidence = confidence, .truth = kRight});
}

// 95 % intervals by Wilson's formula, as statistics packages give them.
TEST(ShareOf, HasTheIntervalOfWilson) {
  const Share half = share_of(50, 100);
  EXPECT_DOUBLE_EQ(half.value, 0.5);
  EXPECT_NEAR(half.low, 0.4038, 1e-4);
  EXPECT_NEAR(half.high, 0.5962, 1e-4);
  const Share all = share_of(10, 10);
  EXPECT_NEAR(all.low, 0.7225, 1e-4);
  EXPECT_DOUBLE_EQ(all.high, 1);
  EXPECT_DOUBLE_EQ(share_of(0, 10).low, 0);
}

TEST(TrustOf, CountsWhatEachHasRightAndWhatBothSay) {
  std::vector<AnswerPair> pairs;
  add(pairs, 70, kRight, kRight);
  add(pairs, 12, kRight, kWrong);
  add(pairs, 4, kWrong, kRight);
  add(pairs, 10, kWrong, kWrong);
  add(pairs, 4, kRight, kNoAnswer);
  const Trust trust = trust_of(pairs);
  EXPECT_EQ(trust.pictures, 100u);
  EXPECT_DOUBLE_EQ(trust.single_right.value, 0.86);
  EXPECT_DOUBLE_EQ(trust.collage_right.value, 0.74);
  EXPECT_DOUBLE_EQ(trust.agree.value, 0.80);
  EXPECT_NEAR(trust.loss.value, 0.12, 1e-12);
  // Of 16.5 and 4.5 pictures of 102 (Agresti and Min 2005).
  const double middle = 12.0 / 102;
  const double half = 1.96 * std::sqrt((21.0 / 102 - middle * middle) / 102);
  EXPECT_NEAR(trust.loss.low, middle - half, 1e-4);
  EXPECT_NEAR(trust.loss.high, middle + half, 1e-4);
}

TEST(TrustOf, FewPicturesThatBothHaveRightDoNotProveThatNothingIsLost) {
  std::vector<AnswerPair> pairs;
  add(pairs, 20, kRight, kRight);
  const Trust trust = trust_of(pairs);
  EXPECT_DOUBLE_EQ(trust.loss.value, 0);
  EXPECT_GT(trust.loss.high, 0.05);
}

// Of a picture without a label the s-CNN's answer is the truth, even if it has none.
TEST(TrustOf, WhereNeitherAnswersNeitherIsRight) {
  const std::vector<AnswerPair> pairs(5, {.single = kNoAnswer, .truth = kNoAnswer});
  const Trust trust = trust_of(pairs);
  EXPECT_DOUBLE_EQ(trust.agree.value, 0);
  EXPECT_DOUBLE_EQ(trust.single_right.value, 0);
  EXPECT_DOUBLE_EQ(trust.collage_right.value, 0);
}

TEST(Within, TakesAShareThatIsTheBarForWithin) {
  EXPECT_TRUE(within(1 - 48.0 / 50, 0.04));
  EXPECT_FALSE(within(1 - 47.0 / 50, 0.04));
  EXPECT_TRUE(within(-0.01, 0));
}

TEST(LowestGate, LetsThroughAsManyAnswersAsMayBe) {
  std::vector<AnswerPair> pairs;
  add(pairs, 40, kRight, kRight, 0.95);
  add(pairs, 40, kRight, kRight, 0.8);
  add(pairs, 10, kRight, kWrong, 0.7);
  add(pairs, 10, kRight, kWrong, 0.6);
  const auto gate = lowest_gate(pairs, 0.15);
  ASSERT_TRUE(gate);
  EXPECT_DOUBLE_EQ(gate->confidence, 0.7);
  EXPECT_DOUBLE_EQ(gate->answered, 0.9);
  EXPECT_NEAR(gate->trust.loss.value, 10.0 / 90, 1e-12);
  EXPECT_DOUBLE_EQ(lowest_gate(pairs, 0.2)->confidence, 0.6);
  EXPECT_DOUBLE_EQ(lowest_gate(pairs, 0.01)->confidence, 0.8);
}

// Where the collage is sure, the s-CNN is right more often, too; only what is lost beside it
// counts.
TEST(LowestGate, ComparesBothOnThePicturesThatAreLetThrough) {
  std::vector<AnswerPair> pairs;
  add(pairs, 100, kRight, kRight, 0.9);
  add(pairs, 10, kRight, kWrong, 0.9);
  add(pairs, 100, kWrong, kWrong, 0.1);
  // Of all pictures the s-CNN has 110 of 210 right, of those let through the collage 100 of 110.
  EXPECT_FALSE(lowest_gate(std::span(pairs).first(110), 0.05));
  EXPECT_TRUE(lowest_gate(pairs, 0.05));  // Ten of 210, if all are let through.
}

// Of answers that are as sure a bound lets through all or none.
TEST(LowestGate, DoesNotDivideThoseThatAreAsSure) {
  std::vector<AnswerPair> pairs;
  add(pairs, 40, kRight, kRight, 0.9);
  add(pairs, 40, kRight, kWrong, 0.9);
  EXPECT_FALSE(lowest_gate(pairs, 0.1));
}

TEST(LowestGate, IsNotDrawnFromAFewAnswers) {
  std::vector<AnswerPair> pairs;
  add(pairs, kGateAnswersMin - 1, kRight, kRight, 0.9);
  add(pairs, 100, kRight, kWrong, 0.5);
  EXPECT_FALSE(lowest_gate(pairs, 0.1));
  add(pairs, 1, kRight, kRight, 0.9);
  EXPECT_TRUE(lowest_gate(pairs, 0.1));
}

TEST(LowestGate, PassesOverPicturesWithoutAnAnswer) {
  std::vector<AnswerPair> pairs;
  add(pairs, 50, kRight, kRight, 0.9);
  add(pairs, 50, kRight, kNoAnswer, 0);
  const auto gate = lowest_gate(pairs, 0.01);
  ASSERT_TRUE(gate);
  EXPECT_DOUBLE_EQ(gate->answered, 0.5);
  EXPECT_EQ(gate->trust.pictures, 50u);
}

}  // namespace
}  // namespace models
