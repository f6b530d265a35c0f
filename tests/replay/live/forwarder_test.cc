#include "replay/live/forwarder.h"

#include <gmock/gmock.h>

#include <chrono>

#include "tests/values.h"

namespace {

using namespace std::chrono_literals;
using replay::live::Forwarder;
using replay::live::LinkFaults;

constexpr std::uint32_t kToBroker = Forwarder::downstream(0);
constexpr std::uint32_t kToSink = Forwarder::downstream(1);
constexpr machine::Peer kStage{kToBroker, 1};

class ForwarderTest : public testing::Test {
 protected:
  std::vector<machine::Outgoing> send(machine::Peer from, wire::Message message,
                                      wire::Instant now = {}) {
    return forwarder_.on_message(from, std::move(message), now).messages;
  }

  LinkFaults link_faults_;
  Forwarder forwarder_{[this] { return link_faults_; }, machine::Rng(1)};
};

TEST_F(ForwarderTest, PassesMessagesBothWaysEachPeerByAnUpstreamOfItsOwn) {
  const machine::Peer other{kToSink, 1}, third{kToSink, 2};
  std::vector<machine::Peer> upstreams;
  for (const machine::Peer& peer : {kStage, other, third}) {
    const auto out = send(peer, wire::Ready{});
    ASSERT_EQ(out.size(), 1u);
    upstreams.push_back(out[0].to);
  }
  EXPECT_EQ(upstreams[0].link, kToBroker + 1);
  EXPECT_EQ(upstreams[1].link, kToSink + 1);
  EXPECT_EQ(upstreams[2].link, kToSink + 2);
  const auto back = send(upstreams[2], wire::DropCollage{});
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].to, third);
  EXPECT_TRUE(send({kToBroker + 2, 0}, wire::DropCollage{}).empty());  // Nobody there.
}

TEST_F(ForwarderTest, AProcessThatComesBackTakesTheOldestUpstream) {
  send({kToBroker, 1}, wire::Ready{});
  send({kToBroker, 2}, wire::Ready{});
  const auto out = send({kToBroker, 3}, wire::Ready{});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].to, (machine::Peer{kToBroker + 1, 0}));
  EXPECT_EQ(send(out[0].to, wire::DropCollage{})[0].to, (machine::Peer{kToBroker, 3}));
  EXPECT_EQ(send({kToBroker, 2}, wire::Ready{})[0].to, (machine::Peer{kToBroker + 2, 0}));
}

TEST_F(ForwarderTest, ADelayHoldsMessagesInTheirOrder) {
  link_faults_.delay_max = 100ms;
  for (std::uint64_t i = 0; i < 20; ++i) {
    EXPECT_TRUE(send(kStage, wire::Ready{.seen = {i}, .held = {}}, at(1s)).empty());
  }
  link_faults_ = {};
  EXPECT_TRUE(send(kStage, wire::Ready{.seen = {20}, .held = {}}, at(1s)).empty());
  std::uint64_t next = 0;
  std::size_t turns = 0;
  while (const auto due = forwarder_.next_timeout()) {
    EXPECT_GT(*due, at(1s));
    EXPECT_LE(*due, at(1100ms));
    for (const machine::Outgoing& out : forwarder_.on_timeout(*due).messages) {
      EXPECT_EQ(std::get<wire::Ready>(out.message).seen.value, next++);
    }
    turns += 1;
  }
  EXPECT_EQ(next, 21u);
  EXPECT_GT(turns, 1u);
}

TEST_F(ForwarderTest, ADelayOfOneDoesNotHoldUpAnother) {
  link_faults_.delay_max = 100ms;
  for (int i = 0; i < 20; ++i) send(kStage, wire::Ready{}, at(1s));
  link_faults_ = {};
  EXPECT_EQ(send({kToSink, 1}, wire::Ready{}, at(1s)).size(), 1u);
}

TEST_F(ForwarderTest, HoldsABoundedNumberOfMessages) {
  link_faults_.delay_max = 1s;
  for (int i = 0; i < 10'100; ++i) send(kStage, wire::Ready{}, at(1s));
  EXPECT_EQ(forwarder_.counters().lost, 100u);
}

TEST_F(ForwarderTest, WhatIsNoMessageIsCountedAndPassedToNobody) {
  send(kStage, wire::Ready{});
  EXPECT_TRUE(send({kToBroker + 1, 0}, wire::Undelivered{}).empty());
  EXPECT_TRUE(send(kStage, wire::Undecodable{}).empty());
  EXPECT_EQ(forwarder_.counters().dropped, 2u);
}

TEST_F(ForwarderTest, AShareOfTheMessagesIsLost) {
  link_faults_.loss = 0.25;
  for (int i = 0; i < 4000; ++i) send(kStage, wire::Ready{});
  EXPECT_NEAR(static_cast<double>(forwarder_.counters().lost), 1000, 100);
  EXPECT_EQ(forwarder_.counters().lost + forwarder_.counters().passed, 4000u);
}

TEST_F(ForwarderTest, GarbageIsMadeOfAnswersAlone) {
  link_faults_.garbage = true;
  wire::Answer answer;
  answer.verdict.predictions = {{{3}, 0.9f}};
  const auto one = send(kStage, answer);
  EXPECT_GT(std::get<wire::Answer>(one.at(0).message).verdict.predictions[0].label.value, 1000u);
  wire::CollageAnswer collage;
  collage.cells = {{{{3}, 0.9f}}, {}};
  const auto two = send(kStage, collage);
  for (const auto& cell : std::get<wire::CollageAnswer>(two.at(0).message).cells) {
    EXPECT_GT(cell.at(0).label.value, 1000u);
  }
  EXPECT_TRUE(std::holds_alternative<wire::Ready>(send(kStage, wire::Ready{}).at(0).message));
  EXPECT_EQ(forwarder_.counters().garbled, 2u);
}

TEST_F(ForwarderTest, EndsWhenToldTo) {
  EXPECT_TRUE(forwarder_.on_message(machine::kLocal, wire::Drain{}, {}).finished);
}

}  // namespace
