#include "producer/correctable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/values.h"

namespace producer {
namespace {

using namespace std::chrono_literals;
using testing::Optional;

constexpr wire::ClassId kCat{0}, kDog{1};

TEST(Correctable, AnotherClassCorrectsOnce) {
  Correctable answers(2);
  answers.add({5}, kCat, at(10ms), at(2s));
  EXPECT_THAT(answers.take({5}, kDog), Optional(at(10ms)));
  EXPECT_EQ(answers.take({5}, kDog), std::nullopt);
  EXPECT_EQ(answers.size(), 0u);
}

TEST(Correctable, TheSameClassIsNoNews) {
  Correctable answers(2);
  answers.add({5}, kCat, at(10ms), at(2s));
  EXPECT_EQ(answers.take({5}, kCat), std::nullopt);
  EXPECT_EQ(answers.size(), 0u);
}

TEST(Correctable, AtTheMaximumTheOldestGivesWay) {
  Correctable answers(2);
  answers.add({6}, kCat, at(0ms), at(1s));
  answers.add({5}, kCat, at(0ms), at(2s));
  answers.add({7}, kCat, at(0ms), at(3s));
  EXPECT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers.take({6}, kDog), std::nullopt);
  EXPECT_TRUE(answers.take({5}, kDog));
}

TEST(Correctable, WithoutRoomNothingIsKept) {
  Correctable answers(0);
  answers.add({5}, kCat, at(0ms), at(1s));
  EXPECT_EQ(answers.size(), 0u);
}

TEST(Correctable, EachIsForgottenAtItsTime) {
  Correctable answers(4);
  answers.add({5}, kCat, at(0ms), at(1s));
  answers.add({6}, kCat, at(0ms), at(2s));
  EXPECT_EQ(answers.next_timeout(), at(1s));
  answers.expire(at(1s));
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers.next_timeout(), at(2s));
  answers.expire(at(2s));
  EXPECT_EQ(answers.next_timeout(), std::nullopt);
}

}  // namespace
}  // namespace producer
