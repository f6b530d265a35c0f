#include "replay/sim/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/values.h"

namespace replay::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr NodeId kDealer = 0, kRouter = 1;
constexpr machine::Peer kUp{0, 0};

class NetworkTest : public testing::Test {
 protected:
  struct Sent {
    wire::Instant at;
    Packet packet;
  };

  Network make(Network::Policy policy, LinkPolicy link) {
    Network network(policy, machine::Rng(1), [this](wire::Instant when, Packet packet) {
      sent_.push_back({when, std::move(packet)});
    });
    network.connect(kDealer, 0, kRouter, 0, link);
    return network;
  }
  std::vector<wire::Duration> arrivals() const {
    std::vector<wire::Duration> arrivals;
    for (const Sent& each : sent_) arrivals.push_back(each.at.since_start);
    return arrivals;
  }
  wire::Undelivered::Why why(std::size_t i) const {
    return std::get<wire::Undelivered>(sent_.at(i).packet.message).why;
  }

  std::vector<Sent> sent_;
};

TEST_F(NetworkTest, AMessageTakesItsLatencyOverTheConnectionOfTheTime) {
  Network network = make({}, {.latency = 2ms});
  network.start(kRouter, at(0ms));
  network.start(kDealer, at(0ms));
  network.send(kDealer, kUp, wire::StatusRequest{}, at(1ms));
  ASSERT_THAT(arrivals(), ElementsAre(3ms));
  EXPECT_EQ(sent_[0].packet.to, kRouter);
  EXPECT_FALSE(network.lost(sent_[0].packet));
  network.reset(0, at(2ms));
  EXPECT_TRUE(network.lost(sent_[0].packet));
}

TEST_F(NetworkTest, WithoutAConnectionADealersMessageIsLostHeldOrBlocked) {
  using Unreachable = Network::Unreachable;
  for (const auto unreachable : {Unreachable::lost, Unreachable::held, Unreachable::blocked}) {
    sent_.clear();
    Network network = make({.unreachable = unreachable}, {.latency = 2ms});
    network.start(kDealer, at(0ms));
    network.send(kDealer, kUp, wire::StatusRequest{}, at(1ms));
    if (unreachable == Unreachable::blocked) {
      ASSERT_THAT(arrivals(), ElementsAre(1ms));
      EXPECT_EQ(why(0), wire::Undelivered::Why::blocked);
      EXPECT_EQ(sent_[0].packet.to, kDealer);
      continue;
    }
    EXPECT_THAT(sent_, IsEmpty());
    network.start(kRouter, at(5ms));
    EXPECT_THAT(sent_, SizeIs(unreachable == Unreachable::held ? 1 : 0));
  }
}

TEST_F(NetworkTest, ARouterKnowsThatAConnectionHasEndedOnlyAfterTheNotice) {
  Network network = make({.notice = 10ms}, {});
  network.start(kRouter, at(0ms));
  network.start(kDealer, at(0ms));
  network.send(kDealer, kUp, wire::StatusRequest{}, at(0ms));
  const machine::Peer dealer = sent_.at(0).packet.peer;
  network.stop(kDealer, at(1ms));
  network.send(kRouter, dealer, wire::StatusRequest{}, at(10ms));
  EXPECT_THAT(sent_, SizeIs(1));  // Lost.
  network.send(kRouter, dealer, wire::StatusRequest{}, at(11ms));
  ASSERT_THAT(sent_, SizeIs(2));
  EXPECT_EQ(why(1), wire::Undelivered::Why::unroutable);
}

TEST_F(NetworkTest, JitterKeepsTheOrderOfMessages) {
  Network network = make({}, {.latency = 1ms, .jitter = 5ms});
  network.start(kRouter, at(0ms));
  network.start(kDealer, at(0ms));
  for (int i = 0; i < 100; ++i) network.send(kDealer, kUp, wire::StatusRequest{}, at(i * 100us));
  const auto times = arrivals();
  EXPECT_TRUE(std::ranges::is_sorted(times));
  EXPECT_GT(times.back(), 100 * 100us + 1ms);
}

TEST_F(NetworkTest, OnlyAFaultyChannelLosesAndDuplicates) {
  for (const bool faulty : {false, true}) {
    sent_.clear();
    Network network = make({}, {.faulty = faulty});
    network.start(kRouter, at(0ms));
    network.start(kDealer, at(0ms));
    network.set_faults({.loss = 1});
    network.send(kDealer, kUp, wire::StatusRequest{}, at(1ms));
    EXPECT_THAT(sent_, SizeIs(faulty ? 0 : 1));
    network.set_faults({.duplicate = 1});
    network.send(kDealer, kUp, wire::StatusRequest{}, at(2ms));
    EXPECT_THAT(sent_, SizeIs(2));
  }
}

TEST_F(NetworkTest, ADelayedMessageMayBeOvertaken) {
  Network network = make({}, {.latency = 1ms, .faulty = true});
  network.start(kRouter, at(0ms));
  network.start(kDealer, at(0ms));
  network.set_faults({.delay = 1, .delay_max = 1s});
  network.send(kDealer, kUp, wire::StatusRequest{}, at(0ms));
  network.set_faults({});
  network.send(kDealer, kUp, wire::StatusRequest{}, at(0ms));
  ASSERT_THAT(sent_, SizeIs(2));
  EXPECT_GT(sent_[0].at, sent_[1].at);
}

}  // namespace
}  // namespace replay::sim
