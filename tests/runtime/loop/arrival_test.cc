// What a loop makes of messages as they arrive, and what it says of those that never will.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/loop/log.h"
#include "tests/runtime/loop/loop_fixture.h"

namespace runtime_test {
namespace {

// A program that sets a routing id sends on and on; its programmer has to see one line, not the
// rest.
TEST_F(LoopTest, NamesAPeerThatChoosesItsOwnRoutingIdInTheLogOnce) {
  runtime::start_log({.process = "test"});
  testing::internal::CaptureStderr();
  Loop loop = make({kTcpRouter});
  Running running(loop);
  const std::string endpoint = loop.bound_endpoint(0);
  Dealer named(context, endpoint, "camera-7");
  for (int i = 0; i < 50; ++i) named.send(wire::StatusRequest{});
  Dealer honest(context, endpoint);
  while (honest.ask_for("loop_foreign_id") < 50) {
  }
  running.stop();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("a client at 127.0.0.1 chooses its own ZeroMQ routing id"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
}

// Otherwise an answer that came while another was handled would seem to have taken no time.
TEST_F(LoopTest, NoMessageIsNewerThanTheClockOfItsTurn) {
  Loop loop = make({kRouter});
  Dealer peer(context, kPlace);
  Instant sent;
  machine.also = [&](Peer, const Message&, Instant now, Actions& actions) {
    actions.finished = machine.heard.size() == 2;
    if (machine.heard.size() > 1) {
      EXPECT_GE(now, sent);
      return;
    }
    peer.send(wire::StatusRequest{});
    sent = runtime::now();
  };
  peer.send(wire::StatusRequest{});
  EXPECT_EQ(loop.run(), Loop::End::finished);
  EXPECT_EQ(machine.heard.size(), 2u);
}

TEST_F(LoopTest, SaysWhatKeepsItFromAServer) {
  const Loop good = make({{.endpoint = "tcp://127.0.0.1:1"}}, {.silent = true});
  EXPECT_EQ(good.trouble(), "");
  const Loop lost = make({{.endpoint = "tcp://no-such-host.invalid:1"}}, {.silent = true});
  EXPECT_THAT(lost.trouble(), HasSubstr("no-such-host.invalid does not resolve"));
}

}  // namespace
}  // namespace runtime_test
