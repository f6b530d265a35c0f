#include "replay/sim/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

namespace replay::sim {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr wire::Instant at_ms(int ms) { return {milliseconds(ms)}; }

// Notes what it is told; says what it is given to say at a given time.
class Puppet : public machine::Machine {
 public:
  explicit Puppet(std::vector<std::string>& heard) : heard_(heard) {}

  void say(wire::Instant when, machine::Peer to, wire::Message message) {
    due_ = when;
    next_ = machine::Outgoing{to, std::move(message)};
  }
  void work(wire::Instant when) {
    due_ = when;
    work_ = true;
  }
  machine::Peer last() const { return last_; }

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override {
    last_ = from;
    note(std::string(wire::kind(message)), now);
    return {};
  }
  machine::Actions on_timeout(wire::Instant now) override {
    note("timeout", now);
    due_.reset();
    machine::Actions actions;
    if (next_) actions.messages.push_back(*std::exchange(next_, std::nullopt));
    if (std::exchange(work_, false)) actions.work = machine::Work{{1}, machine::Classify{}};
    return actions;
  }
  machine::Actions on_done(wire::WorkId, machine::Outcome, wire::Instant now) override {
    note("done", now);
    return {};
  }
  std::optional<wire::Instant> next_timeout() const override { return due_; }

 private:
  void note(const std::string& what, wire::Instant now) {
    std::string line = std::to_string(now.since_start / milliseconds(1));
    line += ' ';
    line += what;
    heard_.push_back(line);
  }
  std::vector<std::string>& heard_;
  std::optional<wire::Instant> due_;
  std::optional<machine::Outgoing> next_;
  bool work_ = false;
  machine::Peer last_;
};

class SlowExecutor : public Executor {
 public:
  Done run(machine::Work) override { return {{}, milliseconds(10)}; }
};

class WorldTest : public testing::Test {
 protected:
  explicit WorldTest(Network::Policy policy = {}) : world_(policy, machine::Rng(1)) {
    dealer_ = world_.add("dealer", &executor_);
    router_ = world_.add("router", &executor_);
    channel_ = world_.connect(dealer_, 0, router_, 0, {milliseconds(2), {}, false});
  }
  Puppet& start(NodeId node, std::vector<std::string>& heard) {
    auto puppet = std::make_unique<Puppet>(heard);
    Puppet& made = *puppet;
    world_.start(node, std::move(puppet));
    return made;
  }
  void say(NodeId node, Puppet& puppet, int ms, machine::Peer to) {
    puppet.say(at_ms(ms), to, wire::StatusRequest{});
    world_.rearm(node);
  }

  SlowExecutor executor_;
  World world_;
  NodeId dealer_ = 0, router_ = 0;
  ChannelId channel_ = 0;
  std::vector<std::string> up_, down_;  // What the router and the dealer heard.
};

TEST_F(WorldTest, AMessageTakesItsLatencyAndItsPeerCanBeAnswered) {
  Puppet& router = start(router_, up_);
  Puppet& dealer = start(dealer_, down_);
  say(dealer_, dealer, 1, {0, 0});
  world_.run_until(at_ms(4));
  EXPECT_THAT(up_, ElementsAre("3 probe"));
  say(router_, router, 5, router.last());
  world_.run_until(at_ms(10));
  EXPECT_THAT(down_, ElementsAre("1 timeout", "7 probe"));
}

TEST_F(WorldTest, ARestartedPeerHasAnotherConnectionAndTheOldOneIsUnroutable) {
  Puppet& router = start(router_, up_);
  say(dealer_, start(dealer_, down_), 1, {0, 0});
  world_.run_until(at_ms(4));
  const machine::Peer before = router.last();
  world_.crash(dealer_);
  say(dealer_, start(dealer_, down_), 5, {0, 0});
  world_.run_until(at_ms(8));
  EXPECT_NE(router.last(), before);
  say(router_, router, 9, before);
  world_.run_until(at_ms(20));
  EXPECT_THAT(up_, ElementsAre("3 probe", "7 probe", "9 timeout", "9 undelivered"));
}

TEST_F(WorldTest, WhatADealerSaysToADeadRouterIsHeldUntilItIsBack) {
  say(dealer_, start(dealer_, down_), 1, {0, 0});
  world_.run_until(at_ms(4));
  start(router_, up_);
  world_.run_until(at_ms(10));
  EXPECT_THAT(up_, ElementsAre("6 probe"));
}

TEST_F(WorldTest, AMachineAtWorkIsBlockedUntilItIsDone) {
  Puppet& router = start(router_, up_);
  Puppet& dealer = start(dealer_, down_);
  router.work(at_ms(1));
  world_.rearm(router_);
  say(dealer_, dealer, 2, {0, 0});
  world_.run_until(at_ms(20));
  EXPECT_THAT(up_, ElementsAre("1 timeout", "11 done", "11 probe"));
}

TEST_F(WorldTest, WorkBeginsAfterAllMessagesThatHaveArrived) {
  Puppet& router = start(router_, up_);
  Puppet& dealer = start(dealer_, down_);
  router.work(at_ms(5));
  say(dealer_, dealer, 1, {0, 0});
  world_.run_until(at_ms(2));
  say(dealer_, dealer, 2, {0, 0});
  world_.stall(router_, milliseconds(9));
  world_.run_until(at_ms(40));
  EXPECT_THAT(up_, ElementsAre("11 timeout", "11 probe", "11 probe", "21 done"));
}

TEST_F(WorldTest, AStalledMachineHearsItsTimersFirstAndThenWhatWaited) {
  Puppet& router = start(router_, up_);
  Puppet& dealer = start(dealer_, down_);
  say(router_, router, 6, {0, 1});
  say(dealer_, dealer, 1, {0, 0});
  world_.stall(router_, milliseconds(9));
  world_.run_until(at_ms(20));
  EXPECT_THAT(up_, ElementsAre("9 timeout", "9 probe"));
}

TEST_F(WorldTest, AtOneInstantTimersComeBeforeMessages) {
  Puppet& router = start(router_, up_);
  Puppet& dealer = start(dealer_, down_);
  say(dealer_, dealer, 1, {0, 0});
  world_.run_until(at_ms(2));
  say(router_, router, 3, {0, 1});
  world_.run_until(at_ms(20));
  EXPECT_THAT(up_, ElementsAre("3 timeout", "3 probe"));
}

}  // namespace
}  // namespace replay::sim
