#include "broker/task.h"

#include <gtest/gtest.h>

namespace broker {
namespace {

TEST(SequenceSource, CountsFromOne) {
  SequenceSource source;
  EXPECT_EQ(source.next().value, 1u);
  EXPECT_EQ(source.next().value, 2u);
}

TEST(Task, IsOrderedByBatchAndThenBySlotWithTheWholeBatchLast) {
  EXPECT_LT((Task{1, 8}), (Task{2, 0}));
  EXPECT_LT((Task{1, 0}), (Task{1, 1}));
  EXPECT_LT((Task{1, wire::kSlotsMax}), (Task{1, kWholeBatch}));
}

}  // namespace
}  // namespace broker
