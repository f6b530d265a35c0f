#include "broker/sink_link.h"

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

class SinkLinkTest : public testing::Test {
 protected:
  Batch& open(std::uint64_t n, wire::Duration t) {
    Batch& opened = ledger.open(batch(n), at(t));
    Entry entry;
    entry.admitted = at(t);
    ledger.add(opened, std::move(entry));
    return opened;
  }

  SinkLink link{4};
  Ledger ledger;
  machine::Actions actions;
};

TEST_F(SinkLinkTest, WithoutASinkMessagesAreDropped) {
  EXPECT_FALSE(link.joined());
  EXPECT_FALSE(link.is(kFirst));
  link.send_opened(open(1, 0ms), at(0ms), actions);
  EXPECT_THAT(actions.messages, IsEmpty());
}

TEST_F(SinkLinkTest, ARepeatedHelloIsTheSameSinkAndAnotherConnectionIsNot) {
  EXPECT_TRUE(link.join(kId, kFirst));
  EXPECT_FALSE(link.join(kId, kFirst));
  EXPECT_TRUE(link.join(kId, kSecond));
  EXPECT_FALSE(link.is(kFirst));
  EXPECT_TRUE(link.is(kSecond));
  EXPECT_TRUE(link.join(kOther, kSecond));
}

TEST_F(SinkLinkTest, ASinkThatLeavesIsForgotten) {
  link.join(kId, kFirst);
  EXPECT_EQ(link.leave(), kId);
  EXPECT_FALSE(link.joined());
  EXPECT_TRUE(link.join(kId, kFirst));
}

TEST_F(SinkLinkTest, ASinkLearnsOfEachStepOfABatch) {
  link.join(kId, kFirst);
  Batch& one = open(1, 10ms);
  link.send_opened(one, at(15ms), actions);
  link.send_sealed(one, at(20ms), actions);
  link.send_settled(one, actions);
  ASSERT_THAT(actions.messages, SizeIs(3));
  EXPECT_EQ(actions.messages[0].to, kFirst);
  const auto& opened = std::get<wire::BatchOpened>(actions.messages[0].message);
  EXPECT_EQ(opened.batch, batch(1));
  EXPECT_EQ(opened.slots, 4);
  EXPECT_EQ(opened.age, 5ms);
  EXPECT_FALSE(opened.covered);
  const auto& sealed = std::get<wire::BatchSealed>(actions.messages[1].message);
  EXPECT_THAT(sealed.ages, ElementsAre(10ms));
  EXPECT_EQ(std::get<wire::BatchSettled>(actions.messages[2].message).batch, batch(1));
}

TEST_F(SinkLinkTest, ABatchWithACoverIsMarkedAsCovered) {
  link.join(kId, kFirst);
  Batch& one = open(1, 0ms);
  one.covers.push_back({{3, 1}, {1}});
  link.send_opened(one, at(0ms), actions);
  EXPECT_TRUE(std::get<wire::BatchOpened>(actions.messages.at(0).message).covered);
}

TEST_F(SinkLinkTest, ASinkThatJoinsLearnsOfEveryOpenBatchAndOfTheSealsOfTheSealed) {
  ledger.seal(open(1, 0ms));
  open(2, 30ms);
  link.join(kId, kFirst);
  link.send_open_batches(ledger, at(50ms), actions);
  ASSERT_THAT(actions.messages, SizeIs(3));
  EXPECT_EQ(std::get<wire::BatchOpened>(actions.messages[0].message).age, 50ms);
  EXPECT_EQ(std::get<wire::BatchSealed>(actions.messages[1].message).batch, batch(1));
  EXPECT_EQ(std::get<wire::BatchOpened>(actions.messages[2].message).batch, batch(2));
}

}  // namespace
}  // namespace broker
