#include "machine/trace.h"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(ShortName, IsTheFirstEightDigitsOfAnId) {
  EXPECT_EQ(machine::short_name(0x1f2e3d4c00000000u), "1f2e3d4c");
  EXPECT_EQ(machine::short_name(wire::WorkerId{0x0a0b0c0d00000000u, 7}), "0a0b0c0d");
}

TEST(LongName, IsEveryDigitOfAnId) {
  EXPECT_EQ(machine::long_name(wire::ProducerId{0x1f2e3d4c00000000u, 0xa7}),
            "1f2e3d4c0000000000000000000000a7");
}

TEST(TraceText, SaysWhatIsKnownAndLeavesOutTheRest) {
  const wire::BatchId batch{{0x1f2e3d4c00000000u}, {17}};
  EXPECT_EQ(machine::trace_text({.what = "assembled",
                                 .batch = batch,
                                 .slot = std::nullopt,
                                 .age = std::chrono::microseconds(4125)}),
            "step=assembled batch=1f2e3d4c:17 age_ms=4.125");
  EXPECT_EQ(
      machine::trace_text({.what = "answered",
                           .batch = batch,
                           .slot = wire::Slot{5},
                           .age = {},
                           .batch_age = std::chrono::milliseconds(20),
                           .producer = {0xab00000000000000u, 1},
                           .request = {42},
                           .worker = {0x0a0b0c0d00000000u, 7},
                           .source = wire::Source::hedge}),
      "step=answered batch=1f2e3d4c:17 slot=5 batch_age_ms=20.000 producer=ab000000 request=42 "
      "worker=0a0b0c0d source=hedge");
}

}  // namespace
