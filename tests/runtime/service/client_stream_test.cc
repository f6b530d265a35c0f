// What the library must not see of a request's head.
#include "runtime/service/client_stream.h"

#include <gtest/gtest.h>

namespace runtime {
namespace {

TEST(ClientStream, RangesAreHiddenFromTheLibrary) {
  std::string text =
      "GET /range HTTP/1.1\r\nrange: bytes=0-\r\nX-Range: Range\r\n RANGE : b\r\nRange\r\n"
      "If-Range: x";
  hide_ranges(text);
  EXPECT_EQ(text,
            "GET /range HTTP/1.1\r\nxange: bytes=0-\r\nX-Range: Range\r\n xANGE : b\r\nxange\r\n"
            "If-Range: x");
}

TEST(ClientStream, ARangeBehindALineFeedAloneIsHiddenToo) {
  std::string text = "GET /x HTTP/1.1\r\nX: a\nRange: bytes=0-\nRANGE\nX: Range\n\tRange : b";
  hide_ranges(text);
  EXPECT_EQ(text, "GET /x HTTP/1.1\r\nX: a\nxange: bytes=0-\nxANGE\nX: Range\n\txange : b");
}

}  // namespace
}  // namespace runtime
