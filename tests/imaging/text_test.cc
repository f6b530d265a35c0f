#include "imaging/text.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <stdexcept>

// The font library keeps memory for the whole process, which the leak check must ignore.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }

namespace imaging {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

// The rows with ink: the first row, and the row below the last.
std::pair<int, int> inked_rows(const Picture& mask) {
  int first = mask.height;
  int end = 0;
  for (int i = 0; i < mask.width * mask.height; ++i) {
    if (mask.pixels[static_cast<std::size_t>(i)] < 64) continue;
    first = std::min(first, i / mask.width);
    end = std::max(end, i / mask.width + 1);
  }
  return {first, end};
}

TEST(Text, IsAsHighAsAskedForAndFullOfInk) {
  for (const int height : {1, 9, 18, 60}) {
    const Picture mask = text("Sandal 97%", height);
    EXPECT_EQ(mask.height, height);
    EXPECT_EQ(mask.channels, 1);
    ASSERT_EQ(mask.pixels.size(), static_cast<std::size_t>(mask.width * mask.height));
    EXPECT_GT(std::ranges::max(mask.pixels), height >= 9 ? 200 : 0) << height;
  }
}

TEST(Text, GrowsWithItsLengthAndHeight) {
  EXPECT_GT(text("Ankle boot", 18).width, 2 * text("Bag", 18).width);
  EXPECT_GT(text("Bag", 36).width, text("Bag", 18).width * 3 / 2);
}

TEST(Text, LinesOfOneHeightShareABaseline) {
  const auto [top, baseline] = inked_rows(text("H", 40));
  EXPECT_EQ(inked_rows(text("E", 40)), std::pair(top, baseline));
  EXPECT_EQ(inked_rows(text("x", 40)).second, baseline);
  EXPECT_GT(inked_rows(text("x", 40)).first, top);
  EXPECT_GT(inked_rows(text("g", 40)).second, baseline);
}

TEST(Text, MarkupStandsForItself) {
  EXPECT_GT(text("<b>a</b>", 18).width, 2 * text("ab", 18).width);
  EXPECT_GT(text("R&amp;D", 18).width, text("R&D", 18).width);
  EXPECT_GT(text("<", 18).width, 0);
}

TEST(Text, OneLineGivesOneMask) { EXPECT_EQ(text("Dress 51%", 18), text("Dress 51%", 18)); }

TEST(Text, WhatHasNoInkIsRefused) {
  EXPECT_THAT([] { text("", 18); },
              ThrowsMessage<std::runtime_error>(StartsWith("text cannot be drawn: ")));
  EXPECT_THAT([] { text("\xff\xfe", 18); },
              ThrowsMessage<std::runtime_error>(HasSubstr("not UTF-8")));
}

TEST(TextDeathTest, WithoutHeightIsOurMistake) { EXPECT_DEATH(text("a", 0), "check failed"); }

}  // namespace
}  // namespace imaging
