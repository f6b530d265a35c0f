#include "stages/membership.h"

#include <gmock/gmock.h>

namespace stages {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Reason;
using wire::Sequence;

constexpr wire::Epoch kEpoch{7}, kOther{8};
constexpr wire::Instant at(wire::Duration t) { return {t}; }

class MembershipTest : public testing::Test {
 protected:
  bool welcome(wire::Epoch epoch, wire::Duration t) {
    return membership.on_welcome({epoch, 100ms, 0, 0, 1s}, at(t));
  }
  // What is said at this time: "hello", "ready" or nothing.
  std::string said(wire::Duration t) {
    const auto message = membership.on_timeout(at(t));
    if (!message) return "";
    return std::holds_alternative<wire::WorkerHello>(*message) ? "hello" : "ready";
  }

  Membership membership{{{1, 2}, wire::Role::classifier, {}, 2},
                        {.backoff_min = 100ms, .backoff_max = 350ms}};
};

TEST_F(MembershipTest, SaysHelloAtOnceAndThenBacksOff) {
  EXPECT_EQ(membership.next_timeout(), at(0ms));
  EXPECT_EQ(said(0ms), "hello");
  EXPECT_EQ(said(99ms), "");
  EXPECT_EQ(said(100ms), "hello");
  EXPECT_EQ(membership.next_timeout(), at(300ms));
  EXPECT_EQ(said(300ms), "hello");
  EXPECT_EQ(membership.next_timeout(), at(650ms));  // Never longer than backoff_max.
  EXPECT_FALSE(membership.joined());
}

TEST_F(MembershipTest, OnceWelcomeSaysReadyAtOnceAndAtEveryHeartbeat) {
  EXPECT_EQ(said(0ms), "hello");
  EXPECT_TRUE(welcome(kEpoch, 10ms));
  EXPECT_TRUE(membership.joined());
  EXPECT_EQ(said(10ms), "ready");
  EXPECT_EQ(said(109ms), "");
  EXPECT_EQ(said(110ms), "ready");
}

TEST_F(MembershipTest, AWelcomeOfTheSameEpochIsAPing) {
  EXPECT_TRUE(welcome(kEpoch, 0ms));
  EXPECT_TRUE(membership.take({1}, kEpoch));
  EXPECT_FALSE(welcome(kEpoch, 10ms));
  EXPECT_FALSE(membership.take({1}, kEpoch));
}

TEST_F(MembershipTest, ATaskThatComesTwiceIsTakenOnce) {
  welcome(kEpoch, 0ms);
  EXPECT_TRUE(membership.take({3}, kEpoch));
  EXPECT_FALSE(membership.take({3}, kEpoch));
  EXPECT_FALSE(membership.take({2}, kEpoch));
  EXPECT_TRUE(membership.take({4}, kEpoch));
  EXPECT_EQ(membership.held(), 2u);
}

TEST_F(MembershipTest, ATaskOfAHostThatWeHaveNotJoinedIsNotTaken) {
  EXPECT_FALSE(membership.take({1}, kEpoch));
  welcome(kEpoch, 0ms);
  EXPECT_FALSE(membership.take({1}, kOther));
  EXPECT_EQ(membership.held(), 0u);
}

TEST_F(MembershipTest, ReadyTellsWhatIsSeenAndHeld) {
  welcome(kEpoch, 0ms);
  membership.take({1}, kEpoch);
  membership.take({2}, kEpoch);
  const wire::Ready ready = membership.release({1}, kEpoch);
  EXPECT_EQ(ready.seen, Sequence{2});
  EXPECT_THAT(ready.held, ElementsAre(Sequence{2}));
  EXPECT_FALSE(ready.leaving);
  EXPECT_THAT(membership.release({2}, kEpoch).held, IsEmpty());
  EXPECT_THAT(membership.release({2}, kEpoch).held, IsEmpty());
}

TEST_F(MembershipTest, AHostThatHasRestartedLearnsThatOldTasksStillTakeUpRoom) {
  welcome(kEpoch, 0ms);
  membership.take({5}, kEpoch);
  EXPECT_TRUE(welcome(kOther, 10ms));
  EXPECT_TRUE(membership.take({1}, kOther));  // Sequences begin anew.
  const wire::Ready ready = membership.set_leaving(false);
  EXPECT_EQ(ready.seen, Sequence{1});
  EXPECT_THAT(ready.held, ElementsAre(Sequence{0}, Sequence{1}));
}

TEST_F(MembershipTest, AnOldTaskIsNotTakenForTheNewOneOfTheSameNumber) {
  welcome(kEpoch, 0ms);
  membership.take({1}, kEpoch);
  welcome(kOther, 10ms);
  membership.take({1}, kOther);
  EXPECT_THAT(membership.release({1}, kEpoch).held, ElementsAre(Sequence{1}));
  EXPECT_THAT(membership.release({1}, kOther).held, IsEmpty());
}

TEST_F(MembershipTest, AHostThatForgotUsIsGreetedAtOnce) {
  welcome(kEpoch, 0ms);
  said(0ms);
  membership.on_refuse({Reason::unknown_worker}, at(20ms));
  EXPECT_FALSE(membership.joined());
  EXPECT_EQ(membership.next_timeout(), at(20ms));
  EXPECT_EQ(said(20ms), "hello");
  membership.on_refuse({Reason::unknown_worker}, at(21ms));  // Of a word before the hello.
  EXPECT_EQ(said(22ms), "");
}

TEST_F(MembershipTest, AHostThatDoesNotWantUsIsLeftInPeaceForAWhile) {
  said(0ms);
  membership.on_refuse({Reason::wrong_model}, at(10ms));
  EXPECT_EQ(said(359ms), "");
  EXPECT_EQ(said(360ms), "hello");
}

TEST_F(MembershipTest, ARejoinInTheSameEpochKeepsTheTasks) {
  welcome(kEpoch, 0ms);
  membership.take({1}, kEpoch);
  membership.on_refuse({Reason::unknown_worker}, at(20ms));
  EXPECT_FALSE(membership.take({2}, kEpoch));
  EXPECT_FALSE(welcome(kEpoch, 30ms));
  EXPECT_TRUE(membership.joined());
  EXPECT_FALSE(membership.take({1}, kEpoch));
  EXPECT_EQ(membership.held(), 1u);
}

TEST_F(MembershipTest, BackOffBeginsAnewAfterAWelcome) {
  said(0ms);
  said(100ms);
  said(300ms);
  welcome(kEpoch, 310ms);
  membership.on_refuse({Reason::unknown_worker}, at(400ms));
  EXPECT_EQ(said(400ms), "hello");
  EXPECT_EQ(membership.next_timeout(), at(500ms));
}

TEST_F(MembershipTest, AConnectionThatTakesNothingIsNotFlooded) {
  membership.on_undelivered(at(0ms));
  EXPECT_EQ(membership.next_timeout(), at(100ms));
  EXPECT_EQ(said(100ms), "hello");
  membership.on_undelivered(at(100ms));
  EXPECT_EQ(membership.next_timeout(), at(200ms));
}

TEST_F(MembershipTest, AHeartbeatOfZeroDoesNotSpin) {
  membership.on_welcome({kEpoch, 0ms, 0, 0, 1s}, at(0ms));
  EXPECT_EQ(said(0ms), "ready");
  EXPECT_GT(membership.next_timeout(), at(0ms));
}

TEST_F(MembershipTest, LeavingIsSaidWithEveryReady) {
  welcome(kEpoch, 0ms);
  EXPECT_TRUE(membership.set_leaving(true).leaving);
  EXPECT_TRUE(membership.leaving());
  const auto message = membership.on_timeout(at(0ms));
  EXPECT_TRUE(std::get<wire::Ready>(*message).leaving);
}

}  // namespace
}  // namespace stages
