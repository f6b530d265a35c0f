#include "broker/corrections.h"

#include <gtest/gtest.h>

#include "tests/broker/peers.h"
#include "tests/values.h"

namespace broker {
namespace {

using namespace std::chrono_literals;

constexpr wire::ClassId kCat{0}, kDog{1};
constexpr Task task(std::uint64_t batch, wire::Slot slot = 0) { return {batch, slot}; }

class CorrectionsTest : public testing::Test {
 protected:
  bool keep(Task task, std::uint64_t request, wire::Duration t, wire::ProducerId whose = kAnn) {
    return corrections.keep(task, {whose, {request}, kCat, {}}, at(t));
  }
  // The request that is to be corrected; 0 if there is none.
  std::uint64_t take(Task task, wire::ClassId label, wire::Duration t) {
    const auto taken = corrections.take(task, label, at(t));
    return taken ? taken->request.value : 0;
  }
  Corrections corrections{{.window = 2s, .max = 2}};
};

TEST_F(CorrectionsTest, ASingleAnswerOfAnotherClassCorrectsOnce) {
  EXPECT_FALSE(keep(task(1), 5, 0ms));
  EXPECT_EQ(take(task(1), kDog, 1s), 5u);
  EXPECT_EQ(take(task(1), kDog, 1s), 0u);
  EXPECT_EQ(corrections.size(), 0u);
}

TEST_F(CorrectionsTest, ItKnowsWhoseAnswerItWasAndWhenThatWasAdmitted) {
  corrections.keep(task(1), {kBob, {5}, kCat, at(10ms)}, at(50ms));
  const auto taken = corrections.take(task(1), kDog, at(60ms));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->producer, kBob);
  EXPECT_EQ(taken->admitted, at(10ms));
}

TEST_F(CorrectionsTest, ASingleAnswerOfTheSameClassEndsIt) {
  keep(task(1), 5, 0ms);
  EXPECT_EQ(take(task(1), kCat, 1s), 0u);
  EXPECT_EQ(take(task(1), kDog, 1s), 0u);
}

TEST_F(CorrectionsTest, AnotherSlotIsNotCorrected) {
  keep(task(1, 1), 5, 0ms);
  EXPECT_EQ(take(task(1, 2), kDog, 1s), 0u);
  EXPECT_EQ(take(task(2, 1), kDog, 1s), 0u);
}

TEST_F(CorrectionsTest, AtTheEndOfTheWindowItIsTooLate) {
  keep(task(1), 5, 0ms);
  keep(task(2), 6, 1ms);
  EXPECT_EQ(take(task(1), kDog, 2s), 0u);
  EXPECT_EQ(corrections.size(), 1u);
  EXPECT_EQ(take(task(2), kDog, 2s), 6u);
}

TEST_F(CorrectionsTest, AtTheMaximumTheOldestGivesWay) {
  EXPECT_FALSE(keep(task(1), 5, 0ms));
  EXPECT_FALSE(keep(task(2), 6, 1ms));
  EXPECT_TRUE(keep(task(3), 7, 2ms));
  EXPECT_EQ(corrections.size(), 2u);
  EXPECT_EQ(take(task(1), kDog, 3ms), 0u);
  EXPECT_EQ(take(task(2), kDog, 3ms), 6u);
}

TEST_F(CorrectionsTest, WhatIsExpiredGivesWayToNobody) {
  keep(task(1), 5, 0ms);
  keep(task(2), 6, 0ms);
  EXPECT_FALSE(keep(task(3), 7, 2s));
  EXPECT_EQ(corrections.size(), 1u);
}

TEST_F(CorrectionsTest, ARequestThatIsOpenedAgainIsForgotten) {
  keep(task(1), 5, 0ms);
  keep(task(2), 5, 0ms, kBob);
  corrections.forget(kAnn, {5});
  corrections.forget(kAnn, {9});
  EXPECT_EQ(take(task(1), kDog, 1s), 0u);
  EXPECT_EQ(take(task(2), kDog, 1s), 5u);
}

TEST_F(CorrectionsTest, OfTwoAnswersToOneRequestTheLastCounts) {
  keep(task(1), 5, 0ms);
  keep(task(2), 5, 1ms);
  EXPECT_EQ(take(task(1), kDog, 1s), 0u);
  EXPECT_EQ(take(task(2), kDog, 1s), 5u);
}

TEST_F(CorrectionsTest, WithoutAWindowNothingIsKept) {
  Corrections never({.window = 0s, .max = 2});
  EXPECT_FALSE(never.keep(task(1), {kAnn, {5}, kCat, {}}, at(0ms)));
  EXPECT_EQ(never.size(), 0u);
  Corrections none({.window = 2s, .max = 0});
  EXPECT_FALSE(none.keep(task(1), {kAnn, {5}, kCat, {}}, at(0ms)));
  EXPECT_EQ(none.size(), 0u);
}

}  // namespace
}  // namespace broker
