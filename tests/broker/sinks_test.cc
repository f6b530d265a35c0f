#include "broker/sinks.h"

#include <gmock/gmock.h>

#include "tests/values.h"

namespace broker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr machine::Peer kFirst{1, 90}, kSecond{1, 91};
constexpr wire::WorkerId kId{4, 1}, kOther{4, 2};

// Two sinks; a heartbeat of 100 ms, three and a half of them until silence.
class SinksTest : public testing::Test {
 protected:
  Batch& open(std::uint64_t n, wire::Duration t) {
    Batch& opened = ledger.open(batch(n), at(t));
    Entry entry;
    entry.admitted = at(t);
    ledger.add(opened, std::move(entry));
    sinks.open(opened, at(t), actions);
    return opened;
  }
  void join_both(wire::Duration t) {
    sinks.join(0, kId, kFirst, at(t));
    sinks.join(1, kOther, kSecond, at(t));
  }
  // The kinds of the messages to a peer.
  std::vector<std::string> told(machine::Peer peer) const {
    std::vector<std::string> kinds;
    for (const machine::Outgoing& out : actions.messages) {
      if (out.to == peer) kinds.emplace_back(wire::kind(out.message));
    }
    return kinds;
  }

  Sinks sinks{{.slots = 4, .sink_max = 2, .heartbeat = 100ms, .silence_max = 350ms}};
  Ledger ledger;
  machine::Actions actions;
};

TEST_F(SinksTest, WithoutASinkMessagesAreDropped) {
  EXPECT_EQ(sinks.size(), 0u);
  EXPECT_FALSE(sinks.is(kFirst));
  open(1, 0ms);
  EXPECT_THAT(actions.messages, IsEmpty());
}

TEST_F(SinksTest, ARepeatedHelloIsTheSameSinkAndAnotherConnectionIsNot) {
  EXPECT_TRUE(sinks.join(0, kId, kFirst, at(0ms)));
  EXPECT_FALSE(sinks.join(0, kId, kFirst, at(0ms)));
  EXPECT_TRUE(sinks.join(0, kId, kSecond, at(0ms)));
  EXPECT_FALSE(sinks.is(kFirst));
  EXPECT_TRUE(sinks.is(kSecond));
  EXPECT_TRUE(sinks.join(0, kOther, kSecond, at(0ms)));
  EXPECT_EQ(sinks.size(), 1u);
}

TEST_F(SinksTest, AProcessHasOneIndex) {
  sinks.join(0, kId, kFirst, at(0ms));
  sinks.join(1, kId, kFirst, at(0ms));
  EXPECT_FALSE(sinks.joined(0));
  EXPECT_TRUE(sinks.joined(1));
}

TEST_F(SinksTest, ASinkThatLeavesIsForgotten) {
  join_both(0ms);
  const auto lost = sinks.leave(kSecond);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->index, 1);
  EXPECT_EQ(lost->id, kOther);
  EXPECT_FALSE(sinks.leave(kSecond));
  EXPECT_EQ(sinks.size(), 1u);
  EXPECT_TRUE(sinks.join(1, kOther, kSecond, at(0ms)));
}

TEST_F(SinksTest, ASinkLearnsOfEachStepOfABatch) {
  sinks.join(0, kId, kFirst, at(0ms));
  Batch& one = ledger.open(batch(1), at(10ms));
  Entry entry;
  entry.admitted = at(10ms);
  ledger.add(one, std::move(entry));
  sinks.open(one, at(15ms), actions);
  sinks.send_sealed(one, at(20ms), actions);
  sinks.settle(one, actions);
  ASSERT_THAT(told(kFirst), ElementsAre("opened", "sealed", "closed"));
  const auto& opened = std::get<wire::BatchOpened>(actions.messages[0].message);
  EXPECT_EQ(opened.batch, batch(1));
  EXPECT_EQ(opened.slots, 4);
  EXPECT_EQ(opened.age, 5ms);
  EXPECT_FALSE(opened.covered);
  const auto& sealed = std::get<wire::BatchSealed>(actions.messages[1].message);
  EXPECT_THAT(sealed.ages, ElementsAre(10ms));
  EXPECT_EQ(std::get<wire::BatchSettled>(actions.messages[2].message).batch, batch(1));
}

TEST_F(SinksTest, ABatchWithACoverIsMarkedAsCovered) {
  sinks.join(0, kId, kFirst, at(0ms));
  Batch& one = ledger.open(batch(1), at(0ms));
  one.covers.push_back({{3, 1}, {1}});
  sinks.open(one, at(0ms), actions);
  EXPECT_TRUE(std::get<wire::BatchOpened>(actions.messages.at(0).message).covered);
}

TEST_F(SinksTest, ABatchBelongsToTheSinkWithTheFewestOpenBatches) {
  join_both(0ms);
  Batch& one = open(1, 0ms);
  EXPECT_EQ(one.sink, 0);
  EXPECT_EQ(open(2, 0ms).sink, 1);
  sinks.settle(one, actions);
  EXPECT_EQ(open(3, 0ms).sink, 0);
  EXPECT_EQ(told(kSecond), std::vector<std::string>{"opened"});
}

TEST_F(SinksTest, ASinkThatIsNotHeardGetsNoBatchesWhileAnotherIs) {
  join_both(0ms);
  sinks.heard(kFirst, at(200ms));
  EXPECT_EQ(open(1, 210ms).sink, 0);
  EXPECT_EQ(open(2, 210ms).sink, 0);
}

TEST_F(SinksTest, ABatchThatMovesIsOpenedAnew) {
  join_both(0ms);
  Batch& one = open(1, 0ms);
  ledger.seal(one);
  sinks.move(one, 1, at(50ms), actions);
  EXPECT_EQ(one.sink, 1);
  ASSERT_THAT(told(kSecond), ElementsAre("opened", "sealed"));
  EXPECT_EQ(std::get<wire::BatchOpened>(actions.messages[1].message).age, 50ms);
  sinks.move(open(2, 60ms), 1, at(60ms), actions);
  EXPECT_EQ(open(3, 60ms).sink, 0);
}

TEST_F(SinksTest, ASinkThatIsSilentWhileAnotherIsNotIsLost) {
  join_both(0ms);
  sinks.heard(kSecond, at(350ms));
  EXPECT_FALSE(sinks.leave_silent(at(350ms)));
  const auto lost = sinks.leave_silent(at(351ms));
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->index, 0);
  EXPECT_FALSE(sinks.leave_silent(at(351ms)));
}

TEST_F(SinksTest, SinksThatAreAllSilentAreWaitedFor) {
  join_both(0ms);
  EXPECT_FALSE(sinks.leave_silent(at(10s)));
  EXPECT_EQ(sinks.size(), 2u);
}

TEST_F(SinksTest, ASinkListensForAboutAHeartbeat) {
  sinks.join(0, kId, kFirst, at(0ms));
  EXPECT_TRUE(sinks.listens(0, at(125ms)));
  EXPECT_FALSE(sinks.listens(0, at(126ms)));
  EXPECT_FALSE(sinks.listens(1, at(0ms)));
}

TEST_F(SinksTest, ServiceTimesAreTheMeansOfWhatHasBeenLearned) {
  join_both(0ms);
  EXPECT_EQ(sinks.service().p95, 0ms);
  sinks.learn(0, {10ms, 20ms, 0ms, 40ms});
  sinks.learn(1, {30ms, 40ms, 90ms, 0ms});
  EXPECT_EQ(sinks.service().patience, 20ms);
  EXPECT_EQ(sinks.service().p95, 30ms);
  EXPECT_EQ(sinks.service().p99, 90ms);
  EXPECT_EQ(sinks.service().budget, 40ms);
  sinks.leave(kFirst);
  EXPECT_EQ(sinks.service().p95, 40ms);
}

}  // namespace
}  // namespace broker
