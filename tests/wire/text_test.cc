#include "wire/text.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using wire::valid_utf8;

TEST(Text, WellFormedTextIsAccepted) {
  for (const char* text :
       {"", "tench", "\x7f", "\u00e9", "\u4e2d\u6587", "\U0001f41f", "\U0010ffff"}) {
    EXPECT_TRUE(valid_utf8(text)) << text;
  }
  EXPECT_TRUE(valid_utf8(std::string(3, '\0')));
}

TEST(Text, IllFormedTextIsRefused) {
  for (const char* text : {"\x80",              // A continuation alone.
                           "a\xc3",             // Cut short.
                           "\xc3\x28",          // No continuation.
                           "\xc0\xaf",          // Overlong.
                           "\xe0\x9f\xbf",      //
                           "\xf0\x8f\xbf\xbf",  //
                           "\xed\xa0\x80",      // A surrogate.
                           "\xf4\x90\x80\x80",  // Beyond U+10FFFF.
                           "\xf5\x80\x80\x80",  //
                           "\xe4\xb8", "\xf0\x9f\x90", "\xff"}) {
    EXPECT_FALSE(valid_utf8(text)) << text;
  }
}

TEST(ShortName, IsTheFirstEightDigitsOfAnId) {
  EXPECT_EQ(wire::short_name(0x1f2e3d4c00000000u), "1f2e3d4c");
  EXPECT_EQ(wire::short_name(wire::WorkerId{0x0a0b0c0d00000000u, 7}), "0a0b0c0d");
}

TEST(StepText, SaysWhatIsKnownAndLeavesOutTheRest) {
  const wire::BatchId batch{{0x1f2e3d4c00000000u}, {17}};
  EXPECT_EQ(wire::step_text({.what = "assembled",
                             .batch = batch,
                             .slot = std::nullopt,
                             .age = std::chrono::microseconds(4125)}),
            "step=assembled batch=1f2e3d4c:17 age_ms=4.125");
  EXPECT_EQ(
      wire::step_text({.what = "answered",
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
