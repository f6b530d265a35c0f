#include "runtime/loop/clock.h"

#include <gmock/gmock.h>

namespace runtime {
namespace {

TEST(Clock, ItNeverGoesBackAndBeginsWithTheProcess) {
  wire::Instant before = now();
  EXPECT_GE(before, wire::Instant{});
  EXPECT_LT(before.since_start, std::chrono::hours(1));
  for (int i = 0; i < 1000; ++i) {
    const wire::Instant next = now();
    EXPECT_GE(next, before);
    before = next;
  }
}

}  // namespace
}  // namespace runtime
