#include "machine/heartbeat.h"

#include <gtest/gtest.h>

namespace machine {
namespace {

using namespace std::chrono_literals;

TEST(SilenceMax, IsThreeHeartbeatsAndAHalf) {
  EXPECT_EQ(silence_max(100ms), wire::Duration(350ms));
  EXPECT_EQ(silence_max(0ms), wire::Duration(0ms));
}

}  // namespace
}  // namespace machine
