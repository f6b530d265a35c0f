#include "runtime/loop/random_id.h"

#include <gmock/gmock.h>

#include <set>

namespace runtime {
namespace {

TEST(RandomId, IdsDoNotMeet) {
  std::set<wire::Epoch> epochs;
  std::set<wire::ProducerId> producers;
  for (int i = 0; i < 1000; ++i) {
    epochs.insert(random_id<wire::Epoch>());
    producers.insert(random_long_id<wire::ProducerId>());
  }
  EXPECT_EQ(epochs.size(), 1000u);
  EXPECT_EQ(producers.size(), 1000u);
}

TEST(RandomId, EveryBitIsDrawn) {
  std::uint64_t ones = 0;
  std::uint64_t zeros = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t bits = random_bits();
    ones |= bits;
    zeros |= ~bits;
  }
  EXPECT_EQ(ones, ~std::uint64_t{0});
  EXPECT_EQ(zeros, ~std::uint64_t{0});
}

}  // namespace
}  // namespace runtime
