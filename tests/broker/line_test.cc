#include "broker/line.h"

#include <gmock/gmock.h>

#include "tests/broker/peers.h"

namespace broker {
namespace {

using testing::ElementsAre;
using wire::Priority;

class LineTest : public testing::Test {
 protected:
  void push(std::uint64_t image, wire::ProducerId producer, Priority priority = Priority::normal,
            std::uint32_t weight = 1) {
    line.push({{image, kWaiting}, producer, priority, weight});
  }
  // The images that come next, up to `count` of them.
  std::vector<std::uint64_t> next(std::size_t count = 100) {
    std::vector<std::uint64_t> images;
    while (images.size() < count) {
      const auto image = line.pop();
      if (!image) break;
      images.push_back(image->task.batch);
    }
    return images;
  }

  Line line;
};

TEST_F(LineTest, NothingComesOutOfAnEmptyLine) {
  EXPECT_TRUE(line.empty());
  EXPECT_FALSE(line.pop());
  push(1, kAnn);
  EXPECT_EQ(line.size(), 1u);
  EXPECT_THAT(next(), ElementsAre(1u));
  EXPECT_TRUE(line.empty());
}

TEST_F(LineTest, AnImageThatIsPutBackIsTheNextAgain) {
  for (std::uint64_t image = 1; image <= 2; ++image) push(image, kAnn);
  push(11, kBob);
  const auto taken = line.pop();
  ASSERT_TRUE(taken);
  line.put_back(*taken);
  EXPECT_EQ(line.size(), 3u);
  EXPECT_THAT(next(), ElementsAre(1u, 11u, 2u));
}

TEST_F(LineTest, TheImagesOfOneProducerComeInOrder) {
  for (std::uint64_t image = 1; image <= 3; ++image) push(image, kAnn);
  EXPECT_THAT(next(), ElementsAre(1u, 2u, 3u));
}

TEST_F(LineTest, ProducersTakeTurnsAndOneThatFloodsWaitsBehindItsOwnImages) {
  for (std::uint64_t image = 1; image <= 4; ++image) push(image, kAnn);
  push(11, kBob);
  push(12, kBob);
  push(21, kEve);
  EXPECT_THAT(next(), ElementsAre(1u, 11u, 21u, 2u, 12u, 3u, 4u));
}

TEST_F(LineTest, AProducersTurnHasAsManyImagesAsItsWeight) {
  for (std::uint64_t image = 1; image <= 4; ++image) push(image, kAnn, Priority::normal, 2);
  for (std::uint64_t image = 11; image <= 13; ++image) push(image, kBob);
  EXPECT_THAT(next(), ElementsAre(1u, 2u, 11u, 3u, 4u, 12u, 13u));
}

TEST_F(LineTest, AnImageThatIsPutBackIsPartOfTheSameTurn) {
  for (std::uint64_t image = 1; image <= 4; ++image) push(image, kAnn, Priority::normal, 2);
  for (std::uint64_t image = 11; image <= 13; ++image) push(image, kBob);
  line.put_back(*line.pop());
  EXPECT_THAT(next(1), ElementsAre(1u));
  line.put_back(*line.pop());  // 2, the last of its turn.
  EXPECT_THAT(next(), ElementsAre(2u, 11u, 3u, 4u, 12u, 13u));
}

TEST_F(LineTest, AProducerThatWaitedForNothingSavesUpNoTurns) {
  push(1, kAnn);
  push(11, kBob);
  EXPECT_THAT(next(1), ElementsAre(1u));  // Ann has left the line.
  push(12, kBob);
  push(2, kAnn);
  push(3, kAnn);
  EXPECT_THAT(next(), ElementsAre(11u, 2u, 12u, 3u));
}

TEST_F(LineTest, AHigherPriorityGoesFirst) {
  push(1, kAnn, Priority::low);
  push(2, kAnn, Priority::normal);
  push(3, kBob, Priority::high);
  push(4, kAnn, Priority::high);
  EXPECT_THAT(next(), ElementsAre(3u, 4u, 2u, 1u));
}

TEST_F(LineTest, ALowerPriorityThatWaitsHasEveryTenthTurn) {
  for (std::uint64_t image = 1; image <= 20; ++image) push(image, kAnn, Priority::high);
  push(101, kBob, Priority::low);
  push(102, kBob, Priority::low);
  EXPECT_THAT(next(9), testing::Each(testing::Lt(100u)));
  EXPECT_THAT(next(1), ElementsAre(101u));
  EXPECT_THAT(next(9), testing::Each(testing::Lt(100u)));
  EXPECT_THAT(next(1), ElementsAre(102u));
}

TEST_F(LineTest, TheHighestOfThreePrioritiesStillHasEightTurnsOfTen) {
  for (std::uint64_t image = 0; image < 100; ++image) {
    push(image, kAnn, Priority::high);
    push(100 + image, kAnn, Priority::normal);
    push(200 + image, kAnn, Priority::low);
  }
  const auto images = next(100);
  const auto from = [&images](std::uint64_t first) {
    return std::count_if(images.begin(), images.end(), [first](std::uint64_t image) {
      return image >= first && image < first + 100;
    });
  };
  EXPECT_GE(from(0), 80);
  EXPECT_GE(from(100), 8);
  EXPECT_GE(from(200), 9);
}

TEST_F(LineTest, APriorityCountsItsPassedTurnsOnlyWhileItWaits) {
  for (std::uint64_t image = 1; image <= 30; ++image) push(image, kAnn, Priority::high);
  EXPECT_THAT(next(9), testing::SizeIs(9));
  push(101, kBob, Priority::low);
  EXPECT_THAT(next(9), testing::Each(testing::Lt(100u)));
  EXPECT_THAT(next(1), ElementsAre(101u));
}

TEST_F(LineTest, AnErasedImageIsPassedOver) {
  for (std::uint64_t image = 1; image <= 3; ++image) push(image, kAnn);
  push(11, kBob);
  line.erase({2, kWaiting}, kAnn, Priority::normal);
  line.erase({11, kWaiting}, kBob, Priority::normal);  // The only one of its producer.
  EXPECT_EQ(line.size(), 2u);
  EXPECT_THAT(next(), ElementsAre(1u, 3u));
}

TEST_F(LineTest, WhatIsNotInTheLineCannotBeErased) {
  push(1, kAnn);
  line.erase({2, kWaiting}, kAnn, Priority::normal);
  line.erase({1, kWaiting}, kBob, Priority::normal);
  line.erase({1, kWaiting}, kAnn, Priority::high);
  EXPECT_THAT(next(), ElementsAre(1u));
  line.erase({1, kWaiting}, kAnn, Priority::normal);
  EXPECT_TRUE(line.empty());
}

TEST_F(LineTest, OnlyTheShareOfTheOthersIsAheadOfAProducer) {
  EXPECT_EQ(line.ahead(kAnn, Priority::normal, 1), 0u);
  push(1, kAnn);
  push(2, kAnn);
  for (std::uint64_t image = 11; image <= 20; ++image) push(image, kBob);
  EXPECT_EQ(line.ahead(kEve, Priority::normal, 1), 2u);   // One of each.
  EXPECT_EQ(line.ahead(kAnn, Priority::normal, 1), 5u);   // Its own two and three of Bob's.
  EXPECT_EQ(line.ahead(kBob, Priority::normal, 1), 12u);  // All that wait.
}

TEST_F(LineTest, AProducerOfMoreWeightHasFewerAheadOfIt) {
  for (std::uint64_t image = 1; image <= 20; ++image) push(image, kAnn);
  for (std::uint64_t image = 21; image <= 25; ++image) push(image, kBob, Priority::normal, 4);
  EXPECT_EQ(line.ahead(kBob, Priority::normal, 4), 7u);  // Its own five and two of Ann's.
  EXPECT_EQ(line.ahead(kEve, Priority::normal, 4), 5u);  // One of Ann's and four of Bob's.
}

TEST_F(LineTest, HigherPrioritiesAreAheadAndLowerOnesAreNot) {
  push(1, kAnn, Priority::high);
  push(2, kAnn, Priority::normal);
  push(3, kAnn, Priority::low);
  EXPECT_EQ(line.ahead(kBob, Priority::high, 1), 1u);
  EXPECT_EQ(line.ahead(kBob, Priority::normal, 1), 2u);
  EXPECT_EQ(line.ahead(kBob, Priority::low, 1), 3u);
}

}  // namespace
}  // namespace broker
