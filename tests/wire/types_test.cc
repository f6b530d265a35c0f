#include "wire/types.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace {

using namespace std::chrono_literals;
using namespace wire;

static_assert(!std::is_convertible_v<ClassId, RequestId>);
static_assert(!std::is_assignable_v<WorkerId&, ProducerId>);
static_assert(!std::is_convertible_v<Duration, Instant>);

TEST(Types, BatchesAreOrderedByEpochThenSequence) {
  const BatchId first{{1}, {9}};
  EXPECT_LT(first, (BatchId{{1}, {10}}));
  EXPECT_LT(first, (BatchId{{2}, {1}}));
  EXPECT_EQ(first, (BatchId{{1}, {9}}));
}

TEST(Types, LongIdsDifferInEitherHalf) {
  const WorkerId id{1, 2};
  EXPECT_NE(id, (WorkerId{1, 3}));
  EXPECT_NE(id, (WorkerId{2, 2}));
}

TEST(Types, InstantsDifferByDurations) {
  const Instant start{5s};
  EXPECT_EQ((start + 3s) - start, 3s);
  EXPECT_EQ(start - 1s, (Instant{4s}));
  EXPECT_LT(start, start + 1ns);
}

TEST(Types, SecondsConvertBothWays) {
  EXPECT_DOUBLE_EQ(to_seconds(1500ms), 1.5);
  EXPECT_EQ(from_seconds(0.25), 250ms);
}

}  // namespace
