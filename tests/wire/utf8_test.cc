#include "wire/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using wire::valid_utf8;

TEST(Utf8, WellFormedTextIsAccepted) {
  for (const char* text :
       {"", "tench", "\x7f", "\u00e9", "\u4e2d\u6587", "\U0001f41f", "\U0010ffff"}) {
    EXPECT_TRUE(valid_utf8(text)) << text;
  }
  EXPECT_TRUE(valid_utf8(std::string(3, '\0')));
}

TEST(Utf8, IllFormedTextIsRefused) {
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

}  // namespace
