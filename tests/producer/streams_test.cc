#include "producer/streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace producer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr StreamId kOne{1}, kTwo{2};

class StreamsTest : public testing::Test {
 protected:
  void add(StreamId stream, std::vector<std::uint64_t> ids) {
    for (const std::uint64_t id : ids) streams.add(stream, {id});
  }
  std::vector<std::uint64_t> settle(StreamId stream, std::uint64_t id) {
    Streams::Held result{};
    result.delivered.result.request = {id};
    std::vector<std::uint64_t> ids;
    for (const Streams::Held& one : streams.settle(stream, std::move(result))) {
      ids.push_back(one.delivered.result.request.value);
    }
    return ids;
  }
  Streams streams;
};

TEST_F(StreamsTest, WhatComesInOrderIsNotHeld) {
  add(kOne, {1, 2});
  EXPECT_THAT(settle(kOne, 1), ElementsAre(1));
  EXPECT_THAT(settle(kOne, 2), ElementsAre(2));
}

TEST_F(StreamsTest, WhatComesEarlyWaitsForAllBeforeIt) {
  add(kOne, {1, 2, 5, 6});
  EXPECT_THAT(settle(kOne, 5), IsEmpty());
  EXPECT_THAT(settle(kOne, 2), IsEmpty());
  EXPECT_EQ(streams.held(), 2u);
  EXPECT_THAT(settle(kOne, 1), ElementsAre(1, 2, 5));
  EXPECT_EQ(streams.held(), 0u);
  EXPECT_THAT(settle(kOne, 6), ElementsAre(6));
}

TEST_F(StreamsTest, StreamsDoNotWaitForEachOther) {
  add(kOne, {1, 3});
  add(kTwo, {2, 4});
  EXPECT_THAT(settle(kTwo, 2), ElementsAre(2));
  EXPECT_THAT(settle(kOne, 3), IsEmpty());
  EXPECT_THAT(settle(kTwo, 4), ElementsAre(4));
  EXPECT_THAT(settle(kOne, 1), ElementsAre(1, 3));
}

TEST_F(StreamsTest, AStreamThatWasEmptyGoesOn) {
  add(kOne, {1});
  EXPECT_THAT(settle(kOne, 1), ElementsAre(1));
  add(kOne, {2, 3});
  EXPECT_THAT(settle(kOne, 3), IsEmpty());
  EXPECT_THAT(settle(kOne, 2), ElementsAre(2, 3));
}

TEST_F(StreamsTest, OnlyWhatIsHeldIsFound) {
  add(kOne, {1, 2});
  EXPECT_EQ(streams.find({2}), nullptr);
  settle(kOne, 2);
  ASSERT_NE(streams.find({2}), nullptr);
  EXPECT_EQ(streams.find({2})->delivered.result.request.value, 2u);
  settle(kOne, 1);
  EXPECT_EQ(streams.find({2}), nullptr);
}

}  // namespace
}  // namespace producer
