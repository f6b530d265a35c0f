#include "producer/push/status_poller.h"

#include <gtest/gtest.h>

#include "tests/values.h"

namespace producer {
namespace {

using namespace std::chrono_literals;

TEST(StatusPoller, AsksUntilAStatusArrives) {
  StatusPoller poller(100ms, 1s);
  EXPECT_EQ(poller.next_timeout(), at(0s));
  EXPECT_EQ(poller.on_timeout(at(0s)).messages.size(), 1u);
  EXPECT_EQ(poller.next_timeout(), at(100ms));
  EXPECT_EQ(poller.on_timeout(at(50ms)).messages.size(), 0u);
  EXPECT_EQ(poller.on_timeout(at(100ms)).messages.size(), 1u);
  const auto actions = poller.on_message({}, wire::Status{{{"admitted", 3}}}, at(120ms));
  EXPECT_TRUE(actions.finished);
  EXPECT_EQ(actions.messages.size(), 0u);
  EXPECT_EQ(poller.status()->counters.front().value, 3u);
}

TEST(StatusPoller, GivesUpInTheEnd) {
  StatusPoller poller(100ms, 1s);
  EXPECT_FALSE(poller.on_timeout(at(0s)).finished);
  EXPECT_FALSE(poller.on_timeout(at(999ms)).finished);
  EXPECT_EQ(poller.next_timeout(), at(1s));
  EXPECT_TRUE(poller.on_timeout(at(1s)).finished);
  EXPECT_FALSE(poller.status());
}

TEST(StatusPoller, StopsAtADrain) {
  StatusPoller poller(100ms, 1s);
  (void)poller.on_timeout(at(0s));
  EXPECT_TRUE(poller.on_message({}, wire::Drain{}, at(1ms)).finished);
}

}  // namespace
}  // namespace producer
