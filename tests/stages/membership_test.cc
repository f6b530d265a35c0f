#include "stages/membership.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "tests/stages/heard.h"
#include "tests/values.h"

namespace stages {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Reason;
using wire::Sequence;

class MembershipTest : public testing::Test {
 protected:
  // Returns whether the welcome begins a new epoch of the coordinator.
  bool welcome(wire::Epoch epoch, wire::Duration t) {
    const wire::Epoch before = membership.epoch();
    receive(wire::Welcome{epoch, 100ms, 0, 0, 1s}, t);
    return membership.epoch() != before;
  }
  void refuse(Reason reason, wire::Duration t) { receive(wire::Refuse{reason}, t); }
  void receive(wire::Message message, wire::Duration t) {
    EXPECT_TRUE(membership.on_message(message, at(t), actions));
  }
  // What is sent at this time: "hello", "ready" or nothing.
  std::string sent(wire::Duration t) {
    actions = {};
    membership.on_timeout(at(t), actions);
    if (actions.messages.empty()) return "";
    EXPECT_EQ(actions.messages[0].to, kCoordinator);
    return std::holds_alternative<wire::WorkerHello>(actions.messages[0].message) ? "hello"
                                                                                  : "ready";
  }
  // The one Ready among what has been sent since the last call.
  wire::Ready ready() {
    const auto all = heard<wire::Ready>(std::exchange(actions, {}), kCoordinator.link);
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? wire::Ready{} : all[0];
  }
  wire::Ready release(Sequence sequence, wire::Epoch epoch) {
    membership.release(sequence, epoch, actions);
    return ready();
  }
  wire::Ready set_leaving(bool leaving) {
    membership.set_leaving(leaving, actions);
    return ready();
  }

  Membership membership{{{1, 2}, wire::Role::classifier, {}, 2},
                        {.backoff_min = 100ms, .backoff_max = 350ms}};
  machine::Actions actions;
};

TEST_F(MembershipTest, SendsHelloAtOnceAndThenBacksOff) {
  EXPECT_EQ(membership.next_timeout(), at(0ms));
  EXPECT_EQ(sent(0ms), "hello");
  EXPECT_EQ(sent(99ms), "");
  EXPECT_EQ(sent(100ms), "hello");
  EXPECT_EQ(membership.next_timeout(), at(300ms));
  EXPECT_EQ(sent(300ms), "hello");
  EXPECT_EQ(membership.next_timeout(), at(650ms));  // Never longer than backoff_max.
  EXPECT_FALSE(membership.joined());
}

TEST_F(MembershipTest, OnceWelcomeSendsReadyAtOnceAndAtEveryHeartbeat) {
  EXPECT_EQ(sent(0ms), "hello");
  EXPECT_TRUE(welcome(kEpoch, 10ms));
  EXPECT_TRUE(membership.joined());
  EXPECT_EQ(sent(10ms), "ready");
  EXPECT_EQ(sent(109ms), "");
  EXPECT_EQ(sent(110ms), "ready");
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
  EXPECT_FALSE(membership.take({1}, kOtherEpoch));
  EXPECT_EQ(membership.held(), 0u);
}

TEST_F(MembershipTest, ReadyNamesWhatIsSeenAndHeld) {
  welcome(kEpoch, 0ms);
  membership.take({1}, kEpoch);
  membership.take({2}, kEpoch);
  const wire::Ready ready = release({1}, kEpoch);
  EXPECT_EQ(ready.seen, Sequence{2});
  EXPECT_THAT(ready.held, ElementsAre(Sequence{2}));
  EXPECT_FALSE(ready.leaving);
  EXPECT_THAT(release({2}, kEpoch).held, IsEmpty());
  EXPECT_THAT(release({2}, kEpoch).held, IsEmpty());
}

TEST_F(MembershipTest, AHostThatHasRestartedLearnsThatOldTasksStillTakeUpRoom) {
  welcome(kEpoch, 0ms);
  membership.take({5}, kEpoch);
  EXPECT_TRUE(welcome(kOtherEpoch, 10ms));
  EXPECT_TRUE(membership.take({1}, kOtherEpoch));  // Sequences begin at one again.
  const wire::Ready ready = set_leaving(false);
  EXPECT_EQ(ready.seen, Sequence{1});
  EXPECT_THAT(ready.held, ElementsAre(Sequence{0}, Sequence{1}));
}

TEST_F(MembershipTest, AnOldTaskIsNotTakenForTheNewOneOfTheSameNumber) {
  welcome(kEpoch, 0ms);
  membership.take({1}, kEpoch);
  welcome(kOtherEpoch, 10ms);
  membership.take({1}, kOtherEpoch);
  EXPECT_THAT(release({1}, kEpoch).held, ElementsAre(Sequence{1}));
  EXPECT_THAT(release({1}, kOtherEpoch).held, IsEmpty());
}

TEST_F(MembershipTest, AHostThatForgotUsIsGreetedAtOnce) {
  welcome(kEpoch, 0ms);
  sent(0ms);
  refuse(Reason::unknown_worker, 20ms);
  EXPECT_FALSE(membership.joined());
  EXPECT_EQ(membership.next_timeout(), at(20ms));
  EXPECT_EQ(sent(20ms), "hello");
  refuse(Reason::unknown_worker, 21ms);  // The answer to a Ready before it.
  EXPECT_EQ(sent(22ms), "");
}

TEST_F(MembershipTest, AHostThatRefusesUsIsLeftInPeaceForAWhile) {
  sent(0ms);
  refuse(Reason::wrong_model, 10ms);
  EXPECT_EQ(sent(359ms), "");
  EXPECT_EQ(sent(360ms), "hello");
}

TEST_F(MembershipTest, ARejoinInTheSameEpochKeepsTheTasks) {
  welcome(kEpoch, 0ms);
  membership.take({1}, kEpoch);
  refuse(Reason::unknown_worker, 20ms);
  EXPECT_FALSE(membership.take({2}, kEpoch));
  EXPECT_FALSE(welcome(kEpoch, 30ms));
  EXPECT_TRUE(membership.joined());
  EXPECT_FALSE(membership.take({1}, kEpoch));
  EXPECT_EQ(membership.held(), 1u);
}

TEST_F(MembershipTest, BackOffStartsOverAfterAWelcome) {
  sent(0ms);
  sent(100ms);
  sent(300ms);
  welcome(kEpoch, 310ms);
  refuse(Reason::unknown_worker, 400ms);
  EXPECT_EQ(sent(400ms), "hello");
  EXPECT_EQ(membership.next_timeout(), at(500ms));
}

TEST_F(MembershipTest, AConnectionThatTakesNothingIsNotFlooded) {
  receive(wire::Undelivered{}, 0ms);
  EXPECT_EQ(membership.next_timeout(), at(100ms));
  EXPECT_EQ(sent(100ms), "hello");
  receive(wire::Undelivered{}, 100ms);
  EXPECT_EQ(membership.next_timeout(), at(200ms));
}

TEST_F(MembershipTest, AHeartbeatOfZeroDoesNotSpin) {
  receive(wire::Welcome{kEpoch, 0ms, 0, 0, 1s}, 0ms);
  EXPECT_EQ(sent(0ms), "ready");
  EXPECT_GT(membership.next_timeout(), at(0ms));
}

TEST_F(MembershipTest, EveryReadyShowsThatTheStageLeaves) {
  welcome(kEpoch, 0ms);
  EXPECT_TRUE(set_leaving(true).leaving);
  EXPECT_TRUE(membership.leaving());
  EXPECT_EQ(sent(0ms), "ready");
  EXPECT_TRUE(ready().leaving);
}

TEST_F(MembershipTest, ARefusalIsLoggedWithItsReasonAndItsHost) {
  refuse(Reason::wrong_model, 0ms);
  ASSERT_THAT(actions.logs, testing::SizeIs(1));
  EXPECT_EQ(actions.logs[0].text, "the broker refuses us: wrong_model");
  Membership collage({{1, 2}, wire::Role::collage, {}, 2}, {100ms, 350ms});
  collage.on_message(wire::Refuse{Reason::wrong_model}, at(0ms), actions);
  EXPECT_EQ(actions.logs.at(1).text, "the assembler refuses us: wrong_model");
}

TEST_F(MembershipTest, ADrainAsksForNoFurtherTasks) {
  welcome(kEpoch, 0ms);
  receive(wire::Drain{}, 0ms);
  EXPECT_FALSE(actions.finished);
  EXPECT_TRUE(ready().leaving);
}

TEST_F(MembershipTest, ASinkIsDrainedAtOnceAndSendsNothing) {
  Membership sink({{4, 1}, wire::Role::sink, {}, 0}, {100ms, 350ms});
  EXPECT_TRUE(sink.on_message(wire::Drain{}, at(0ms), actions));
  EXPECT_TRUE(actions.finished);
  EXPECT_THAT(actions.messages, IsEmpty());
}

TEST_F(MembershipTest, OtherMessagesAreLeftToTheStage) {
  EXPECT_FALSE(membership.on_message(wire::Assign{}, at(0ms), actions));
  EXPECT_FALSE(membership.on_message(wire::StatusRequest{}, at(0ms), actions));
}

}  // namespace
}  // namespace stages
