// How many images a push without a rate keeps open.
#include "producer/push/pace.h"
#include "tests/producer/push/pusher_fixture.h"

namespace producer {
namespace {

TEST_F(PusherTest, WithoutARateAsManyAreOpenAsThePipelineAnswers) {
  make(0);
  images(60);
  welcome(100);
  EXPECT_EQ(sent().size(), Pace::kFirst);
  answer(1);
  answer(2);
  EXPECT_EQ(sent().size(), 4u);
  refuse(3);
  refuse(4);
  for (std::uint64_t id = 5; id <= 12; ++id) answer(id);
  EXPECT_THAT(sent(), IsEmpty());  // 10 of 18 are open, and 9 may be.
  answer(13);
  EXPECT_EQ(sent().size(), 1u);  // Nine answers have made room for one more.
  advance(now.since_start + 100ms);
  EXPECT_THAT(sent(), ElementsAre(3, 4));  // The refused ones, again.
}

TEST_F(PusherTest, AnImageThatNobodyHadTimeForHalvesWhatIsOpen) {
  make(0);
  images(60);
  welcome(100);
  sent();
  for (std::uint64_t id = 1; id <= 16; ++id) miss(id, wire::Reason::overloaded);
  EXPECT_EQ(sent().size(), Pace::kFirst / 2);
}

TEST_F(PusherTest, AnImageThatIsMissingForWantOfABrokerSaysNothingOfThePace) {
  make(0);
  images(60);
  welcome(100);
  sent();
  for (std::uint64_t id = 1; id <= 16; ++id) miss(id, wire::Reason::no_sink);
  EXPECT_EQ(sent().size(), Pace::kFirst);
}

TEST_F(PusherTest, WhatWaitsForItsTurnTakesNoRoom) {
  in_order = true;
  make(0);
  images(60);
  welcome(100);
  sent();
  for (std::uint64_t id = 2; id <= 16; ++id) answer(id);
  EXPECT_EQ(sent().size(), 15u);
  EXPECT_THAT(lines(), IsEmpty());
}

}  // namespace
}  // namespace producer
