#include "machine/slowness.h"

#include <gtest/gtest.h>

namespace machine {
namespace {

using namespace std::chrono_literals;

TEST(Slowness, TheUsualServiceIsTheMiddleMedianTheLowerOfTwo) {
  EXPECT_EQ(usual_service({30ms, 10ms, 20ms}), wire::Duration(20ms));
  EXPECT_EQ(usual_service({800ms, 200ms}), wire::Duration(200ms));
  EXPECT_EQ(usual_service({200ms}), wire::Duration(200ms));
  EXPECT_EQ(usual_service({}), std::nullopt);
}

TEST(Slowness, ExactlyTwiceTheUsualTimeIsNotSlow) {
  EXPECT_FALSE(is_slow(200ms, 100ms));
  EXPECT_TRUE(is_slow(201ms, 100ms));
}

}  // namespace
}  // namespace machine
