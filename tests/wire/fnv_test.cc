#include "wire/fnv.h"

#include <gtest/gtest.h>

namespace wire {
namespace {

std::uint64_t fnv(std::string_view text) {
  Fnv hash;
  hash.add(text);
  return hash.value();
}

// Test vectors of draft-eastlake-fnv.
TEST(Fnv, IsTheOneOfThePublishedVectors) {
  EXPECT_EQ(fnv(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv("foobar"), 0x85944171f73967e8u);
}

TEST(Fnv, DoesNotMindHowItIsFed) {
  Fnv hash;
  hash.add(std::uint8_t{'f'});
  hash.add("oo");
  hash.add("bar");
  EXPECT_EQ(hash.value(), fnv("foobar"));
}

}  // namespace
}  // namespace wire
