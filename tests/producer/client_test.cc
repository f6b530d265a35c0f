#include "producer/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <variant>
#include <vector>

namespace producer {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Duration;
using wire::Instant;
using wire::Reason;
using wire::RequestId;
using wire::ResultStatus;

constexpr wire::Peer kBroker{};
constexpr wire::Epoch kEpoch{.value = 7};
constexpr wire::Epoch kOtherEpoch{.value = 8};

Instant at(Duration since_start) { return {since_start}; }

Policy policy() {
  Policy p;
  p.producer = {.high = 1, .low = 2};
  p.deadline = 2s;
  p.grace = 500ms;
  p.open_max = 8;
  p.hello_min = 100ms;
  p.hello_max = 700ms;
  p.hello_jitter = 0;
  p.hello_unanswered_max = 3;
  p.retry_min = 20ms;
  return p;
}

wire::Payload image(std::size_t size = 4) { return wire::Payload(wire::Payload::Bytes(size)); }

// One client and a hand for its broker.  `sent` gathers the ids of the Submits and `hellos` counts
// the ProducerHellos since they were last asked for.
class ClientTest : public testing::Test {
 protected:
  void make(Policy p) { client = std::make_unique<Client>(p); }

  void take(wire::Actions actions) {
    for (const wire::Outgoing& out : actions.messages) {
      EXPECT_EQ(out.to, kBroker);
      if (const auto* submit = std::get_if<wire::Submit>(&out.message)) {
        sent_.push_back(submit->request.value);
        last_submit = *submit;
      } else {
        EXPECT_TRUE(std::holds_alternative<wire::ProducerHello>(out.message));
        ++hellos_;
      }
    }
    for (const wire::Note& note : actions.notes) notes.push_back(note.text);
    finished = actions.finished;
  }
  // Lets every timer up to `t` go at its own time.
  void advance(Duration t) {
    for (auto next = client->next_timeout(); next && *next <= at(t);
         next = client->next_timeout()) {
      now = std::max(now, *next);
      take(client->on_timeout(now));
      ASSERT_LT(++turns_, 10000) << "The client keeps itself busy.";
    }
    now = at(t);
  }
  void say(wire::Message message) { take(client->on_message(kBroker, std::move(message), now)); }
  void welcome(std::uint32_t credit = 4, wire::Epoch epoch = kEpoch) {
    say(wire::Welcome{.epoch = epoch,
                      .heartbeat = 1s,
                      .credit = credit,
                      .image_bytes_max = 100,
                      .deadline_max = 5s});
  }
  void join(std::uint32_t credit = 4) {
    advance(now.since_start);
    welcome(credit);
    hellos();
  }
  Client::Submitted submit(std::uint64_t id, Duration deadline = 0s, std::size_t size = 4) {
    const auto submitted = client->submit({id}, image(size), deadline, now);
    advance(now.since_start);
    return submitted;
  }
  static wire::Result result(std::uint64_t id, ResultStatus status = ResultStatus::answered,
                             Reason reason = Reason::none, Duration retry_after = 0s) {
    wire::Result r;
    r.request = {id};
    r.status = status;
    r.reason = reason;
    r.latency = 30ms;
    r.retry_after = retry_after;
    return r;
  }
  void refuse(std::uint64_t id, Reason reason, Duration retry_after = 0s) {
    say(result(id, ResultStatus::refused, reason, retry_after));
  }
  std::vector<std::uint64_t> sent() { return std::exchange(sent_, {}); }
  int hellos() { return std::exchange(hellos_, 0); }
  // What was delivered since the last call: ids and how.
  std::vector<std::pair<std::uint64_t, ResultStatus>> delivered() {
    std::vector<std::pair<std::uint64_t, ResultStatus>> out;
    for (Delivered& d : client->take_results()) {
      out.emplace_back(d.result.request.value, d.result.status);
      last = std::move(d);
    }
    return out;
  }
  static std::pair<std::uint64_t, ResultStatus> answered(std::uint64_t id) {
    return {id, ResultStatus::answered};
  }
  static std::pair<std::uint64_t, ResultStatus> missing(std::uint64_t id) {
    return {id, ResultStatus::missing};
  }
  static std::pair<std::uint64_t, ResultStatus> refused(std::uint64_t id) {
    return {id, ResultStatus::refused};
  }
  const Client::Counters& counters() const { return client->counters(); }

  std::unique_ptr<Client> client = std::make_unique<Client>(policy());
  Instant now;
  wire::Submit last_submit;
  Delivered last;
  std::vector<std::string> notes;
  bool finished = false;

 private:
  std::vector<std::uint64_t> sent_;
  int hellos_ = 0;
  int turns_ = 0;
};

// --- hello and welcome ---

TEST_F(ClientTest, ANewClientIsDueAtOnceAndSaysHello) {
  EXPECT_EQ(client->next_timeout(), at(0ms));
  advance(0ms);
  EXPECT_EQ(hellos(), 1);
  EXPECT_FALSE(client->joined());
}

TEST_F(ClientTest, UnansweredHellosBackOffAndStayWithinTheirBound) {
  std::vector<Duration> gaps;
  advance(0ms);
  for (int i = 0; i < 6; ++i) {
    gaps.push_back(*client->next_timeout() - now);
    advance(client->next_timeout()->since_start);
  }
  EXPECT_THAT(gaps, ElementsAre(100ms, 200ms, 400ms, 700ms, 700ms, 700ms));
  EXPECT_EQ(counters().hellos, 7u);
}

TEST_F(ClientTest, JitterShortensTheBackOffAndFollowsFromTheProducersId) {
  const auto first_gap = [](std::uint64_t id) {
    Policy p = policy();
    p.hello_jitter = 0.5;
    p.producer.low = id;
    Client jittery(p);
    (void)jittery.on_timeout(at(0ms));
    return jittery.next_timeout()->since_start;
  };
  EXPECT_EQ(first_gap(10), first_gap(10));
  EXPECT_NE(first_gap(10), first_gap(11));
  EXPECT_GE(first_gap(10), 50ms);
  EXPECT_LT(first_gap(10), 100ms);
}

TEST_F(ClientTest, AWelcomedClientSaysHelloEveryHeartbeat) {
  join();
  advance(999ms);
  EXPECT_EQ(hellos(), 0);
  advance(1000ms);
  EXPECT_EQ(hellos(), 1);
  welcome();
  advance(1999ms);
  EXPECT_EQ(hellos(), 0);
}

TEST_F(ClientTest, AWelcomeWithoutAHeartbeatDoesNotMakeItChatter) {
  advance(0ms);
  EXPECT_EQ(hellos(), 1);
  say(wire::Welcome{.epoch = kEpoch, .credit = 1, .image_bytes_max = 1});
  EXPECT_EQ(hellos(), 0);
  EXPECT_EQ(client->next_timeout(), at(100ms));
}

// --- credit ---

TEST_F(ClientTest, NothingIsSentBeforeTheWelcome) {
  submit(1);
  EXPECT_THAT(sent(), IsEmpty());
  welcome();
  EXPECT_THAT(sent(), ElementsAre(1));
}

TEST_F(ClientTest, CreditIsNeverExceededAndTheOldestGoFirst) {
  join(2);
  for (std::uint64_t id = 1; id <= 5; ++id) submit(id);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  say(result(2));
  EXPECT_THAT(sent(), ElementsAre(3));
  say(result(1));
  say(result(3));
  EXPECT_THAT(sent(), ElementsAre(4, 5));
}

TEST_F(ClientTest, WithdrawnCreditStopsSending) {
  join(2);
  submit(1);
  welcome(0);
  submit(2);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_EQ(client->window(), 0u);
  say(result(1));
  EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(ClientTest, TheWindowIsWhatWouldGoOutAtOnce) {
  EXPECT_EQ(client->window(), 0u);
  join(3);
  EXPECT_EQ(client->window(), 3u);
  submit(1);
  EXPECT_EQ(client->window(), 2u);
}

// --- bounds ---

TEST_F(ClientTest, BeyondOpenMaxTheOwnerIsTurnedAway) {
  Policy p = policy();
  p.open_max = 2;
  make(p);
  EXPECT_EQ(submit(1), Client::Submitted::queued);
  EXPECT_EQ(submit(2), Client::Submitted::queued);
  EXPECT_EQ(submit(3), Client::Submitted::full);
  EXPECT_EQ(counters().full, 1u);
  EXPECT_EQ(counters().submitted, 2u);
}

TEST_F(ClientTest, ResultsThatNobodyTakesCountAsOpen) {
  Policy p = policy();
  p.open_max = 1;
  make(p);
  join();
  submit(1);
  say(result(1));
  EXPECT_EQ(submit(2), Client::Submitted::full);
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
  EXPECT_EQ(submit(2), Client::Submitted::queued);
}

TEST_F(ClientTest, ImagesAreBoundedInBytesTooButOneIsAlwaysTaken) {
  Policy p = policy();
  p.open_bytes_max = 10;
  make(p);
  join();
  EXPECT_EQ(submit(1, 0s, 50), Client::Submitted::queued);
  EXPECT_EQ(submit(2, 0s, 1), Client::Submitted::full);
  say(result(1));
  EXPECT_EQ(submit(2, 0s, 10), Client::Submitted::queued);
}

TEST_F(ClientTest, AnImageAboveTheBrokersLimitIsRefusedHere) {
  join();
  submit(1, 0s, 101);
  submit(2, 0s, 100);
  EXPECT_THAT(sent(), ElementsAre(2));
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(last.result.reason, Reason::image_too_large);
  EXPECT_TRUE(last.local);
  EXPECT_EQ(counters().too_large, 1u);
}

// --- results ---

TEST_F(ClientTest, AResultIsDeliveredWithBothLatencies) {
  join();
  advance(10ms);
  submit(1);
  advance(60ms);
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
  EXPECT_EQ(last.latency, 50ms);
  EXPECT_EQ(last.result.latency, 30ms);
  EXPECT_FALSE(last.local);
  EXPECT_EQ(counters().delivered, 1u);
}

TEST_F(ClientTest, ASecondResultIsCountedAndDropped) {
  join();
  submit(1);
  say(result(1));
  say(result(1, ResultStatus::missing));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
  EXPECT_EQ(counters().duplicate_results, 1u);
}

TEST_F(ClientTest, AResultForARequestThatNeverWasIsCountedAndDropped) {
  join();
  submit(1);
  say(result(9));
  EXPECT_THAT(delivered(), IsEmpty());
  EXPECT_EQ(counters().unknown_results, 1u);
}

TEST_F(ClientTest, ARejectedImageIsDeliveredAsSuch) {
  join();
  submit(1);
  say(result(1, ResultStatus::rejected, Reason::truncated_image));
  ASSERT_EQ(delivered().size(), 1u);
  EXPECT_EQ(last.result.status, ResultStatus::rejected);
  EXPECT_EQ(last.result.reason, Reason::truncated_image);
}

// --- deadline ---

TEST_F(ClientTest, TheBrokerIsToldWhatRemainsOfTheDeadline) {
  submit(1, 1s);
  advance(300ms);
  welcome();
  EXPECT_EQ(last_submit.remaining, 700ms);
}

TEST_F(ClientTest, TheDeadlineIsBoundedByTheBrokers) {
  join();
  submit(1, 60s);
  EXPECT_EQ(last_submit.remaining, 5s);
}

TEST_F(ClientTest, TheClientSaysMissingItselfAGraceAfterTheDeadline) {
  join();
  submit(1, 1s);
  advance(1499ms);
  EXPECT_THAT(delivered(), IsEmpty());
  advance(1500ms);
  EXPECT_THAT(delivered(), ElementsAre(missing(1)));
  EXPECT_TRUE(last.local);
  EXPECT_EQ(counters().expired, 1u);
}

TEST_F(ClientTest, TheBrokersOwnMissingComesFirst) {
  join();
  submit(1, 1s);
  advance(1020ms);
  say(result(1, ResultStatus::missing));
  advance(3s);
  EXPECT_THAT(delivered(), ElementsAre(missing(1)));
  EXPECT_FALSE(last.local);
  EXPECT_EQ(counters().expired, 0u);
}

TEST_F(ClientTest, WithoutABrokerEverythingIsMissingAtItsDeadline) {
  submit(1, 1s);
  submit(2, 500ms);
  advance(1s);
  EXPECT_THAT(delivered(), ElementsAre(missing(2), missing(1)));
  EXPECT_EQ(client->open(), 0u);
}

TEST_F(ClientTest, WhatIsPastItsDeadlineIsNotSentAgain) {
  join();
  submit(1, 1s);
  sent();
  advance(1200ms);
  welcome(4, kOtherEpoch);
  EXPECT_THAT(sent(), IsEmpty());
  say(result(1));  // From the broker before, at last.
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
}

TEST_F(ClientTest, TheDeadlineRunsFromTheFirstSubmission) {
  join();
  submit(1, 1s);
  advance(600ms);
  welcome(4, kOtherEpoch);
  EXPECT_EQ(last_submit.remaining, 400ms);
}

// --- refusals of a request ---

TEST_F(ClientTest, AFullBrokerIsTriedAgainAfterItsHint) {
  join();
  submit(1);
  sent();
  refuse(1, Reason::full, 250ms);
  advance(249ms);
  EXPECT_THAT(sent(), IsEmpty());
  advance(250ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_EQ(counters().retried, 1u);
  EXPECT_EQ(counters().resubmitted, 0u);
  EXPECT_THAT(delivered(), IsEmpty());
}

TEST_F(ClientTest, ARefusalWithoutAHintIsNotTriedAgainAtOnce) {
  join();
  submit(1);
  sent();
  refuse(1, Reason::no_credit);
  EXPECT_THAT(sent(), IsEmpty());
  advance(20ms);
  EXPECT_THAT(sent(), ElementsAre(1));
}

TEST_F(ClientTest, ARefusedRequestGivesItsCreditToTheNext) {
  join(1);
  submit(1);
  submit(2);
  sent();
  refuse(1, Reason::full, 250ms);
  EXPECT_THAT(sent(), ElementsAre(2));
}

TEST_F(ClientTest, ARefusalIsFinalWhenItsHintLiesBeyondTheDeadline) {
  join();
  submit(1, 1s);
  refuse(1, Reason::full, 1s);
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(last.result.reason, Reason::full);
}

TEST_F(ClientTest, ARequestThatStaysRefusedSaysSoAtItsDeadline) {
  join(1);
  submit(1, 1s);
  refuse(1, Reason::full, 250ms);
  welcome(0);
  advance(2s);
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(last.result.reason, Reason::full);
  EXPECT_TRUE(last.local);
}

TEST_F(ClientTest, ARefusalIsForgottenOnceTheRequestIsWithTheBrokerAgain) {
  join();
  submit(1, 1s);
  refuse(1, Reason::full, 250ms);
  advance(2s);
  EXPECT_THAT(delivered(), ElementsAre(missing(1)));
}

TEST_F(ClientTest, WithoutRetriesARefusalIsTheResult) {
  Policy p = policy();
  p.retry_refused = false;
  make(p);
  join();
  submit(1);
  refuse(1, Reason::full, 250ms);
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_EQ(last.result.retry_after, 250ms);
}

TEST_F(ClientTest, ARefusalThatWaitingCannotCureIsFinal) {
  join();
  submit(1);
  refuse(1, Reason::image_too_large);
  EXPECT_THAT(delivered(), ElementsAre(refused(1)));
  EXPECT_FALSE(last.local);
}

TEST_F(ClientTest, DuplicateRequestIsNoResultForTheBrokerHasItAlready) {
  join();
  submit(1);
  refuse(1, Reason::duplicate_request);
  EXPECT_THAT(delivered(), IsEmpty());
  EXPECT_EQ(counters().open_already, 1u);
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
}

TEST_F(ClientTest, ALateRefusalDoesNotUndoAResubmissionThatWaits) {
  join(1);
  submit(1);
  submit(2);
  say(wire::Undelivered{});  // 1 is queued again.
  refuse(1, Reason::full, 1s);
  advance(20ms);
  EXPECT_THAT(sent(), ElementsAre(1, 1));
}

// --- restarts and losses ---

TEST_F(ClientTest, AnotherEpochHasEverythingUnansweredSentAgain) {
  join(3);
  submit(1);
  submit(2);
  submit(3);
  submit(4);
  say(result(2));
  EXPECT_THAT(sent(), ElementsAre(1, 2, 3, 4));
  welcome(3, kOtherEpoch);
  EXPECT_THAT(sent(), ElementsAre(1, 3, 4));
  EXPECT_EQ(counters().rejoined, 1u);
  EXPECT_EQ(counters().resubmitted, 3u);
  EXPECT_THAT(notes, ElementsAre("the broker has restarted: unanswered images, sent again: 3"));
}

TEST_F(ClientTest, AWelcomeOfTheSameEpochRepeatsNothing) {
  join();
  submit(1);
  sent();
  welcome();
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(counters().rejoined, 0u);
}

TEST_F(ClientTest, ABrokerThatForgotUsIsGreetedAndGetsEverythingAgain) {
  join();
  advance(200ms);
  submit(1);
  submit(2);
  sent();
  refuse(1, Reason::unknown_producer);
  EXPECT_EQ(hellos(), 1);
  EXPECT_THAT(sent(), IsEmpty());
  refuse(2, Reason::unknown_producer);
  EXPECT_EQ(hellos(), 0);
  welcome();
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_THAT(delivered(), IsEmpty());
}

TEST_F(ClientTest, ABrokerThatForgetsUsAgainAndAgainIsNotGreetedWithoutEnd) {
  join();
  submit(1);
  for (int i = 0; i < 5; ++i) {
    refuse(1, Reason::unknown_producer);
    welcome();
  }
  EXPECT_EQ(hellos(), 0);
}

TEST_F(ClientTest, ARefuseEndsTheConversationUntilTheNextWelcome) {
  join();
  submit(1);
  sent();
  advance(300ms);
  say(wire::Refuse{.reason = Reason::too_many_peers});
  EXPECT_FALSE(client->joined());
  EXPECT_EQ(client->refusal(), Reason::too_many_peers);
  EXPECT_EQ(counters().refusals, 1u);
  EXPECT_EQ(hellos(), 1);
  submit(2);
  EXPECT_THAT(sent(), IsEmpty());
  welcome();
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_EQ(client->refusal(), Reason::none);
  EXPECT_THAT(notes, ElementsAre("the broker refuses us: too_many_peers",
                                 "the broker is back: unanswered images, sent again: 2"));
}

TEST_F(ClientTest, ASilentBrokerGetsNothingNewAndEverythingAgainOnceItSpeaks) {
  join();
  submit(1, 5s);
  sent();
  advance(1699ms);  // Hellos at 1 s, 1.1 s, 1.3 s; the next is due at 1.7 s.
  EXPECT_TRUE(client->joined());
  advance(1700ms);
  EXPECT_FALSE(client->joined());
  EXPECT_EQ(counters().silences, 1u);
  submit(2, 5s);
  EXPECT_THAT(sent(), IsEmpty());
  welcome();
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_EQ(counters().rejoined, 1u);
}

TEST_F(ClientTest, ResultsBreakTheSilenceToo) {
  join();
  submit(1, 5s);
  submit(2, 5s);
  advance(1600ms);
  say(result(1));
  advance(1800ms);
  EXPECT_TRUE(client->joined());
}

TEST_F(ClientTest, WhatTheLinkWouldNotTakeIsSentAgainALittleLater) {
  join();
  advance(10ms);
  submit(1);
  advance(20ms);
  submit(2);
  sent();
  advance(21ms);
  say(wire::Undelivered{.why = wire::Undelivered::Why::blocked});
  EXPECT_THAT(sent(), IsEmpty());
  advance(40ms);
  EXPECT_THAT(sent(), IsEmpty());
  advance(41ms);
  EXPECT_THAT(sent(), ElementsAre(2));  // 1 went out a turn before.
  EXPECT_EQ(counters().undelivered, 1u);
}

TEST_F(ClientTest, ATimerThatGoesBeforeTheNewsOfALossHidesNothing) {
  join();
  submit(1);
  sent();
  ASSERT_EQ(client->submit({2}, image(), 0s, at(10ms)), Client::Submitted::queued);
  now = at(20ms);
  take(client->on_timeout(now));  // Sends 2 before it hears that 1 was lost.
  say(wire::Undelivered{.why = wire::Undelivered::Why::blocked});
  EXPECT_THAT(sent(), ElementsAre(2));
  advance(40ms);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
}

TEST_F(ClientTest, AnUnansweredRequestIsSentAgainIfThePolicySaysSo) {
  Policy p = policy();
  p.resubmit_after = 600ms;
  make(p);
  join();
  submit(1, 1500ms);
  advance(599ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  advance(600ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  refuse(1, Reason::duplicate_request);
  advance(1900ms);
  EXPECT_THAT(sent(), ElementsAre(1));  // At 1.2 s, and not beyond the deadline.
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
}

// --- drain ---

TEST_F(ClientTest, DrainFinishesWhatIsOpenAndTakesNothingNew) {
  join(1);
  submit(1);
  submit(2);
  say(wire::Drain{});
  EXPECT_FALSE(finished);
  EXPECT_EQ(submit(3), Client::Submitted::draining);
  EXPECT_EQ(client->window(), 0u);
  say(result(1));
  EXPECT_FALSE(finished);
  say(result(2));
  EXPECT_TRUE(finished);
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
}

TEST_F(ClientTest, DrainWithoutABrokerEndsAtTheDeadline) {
  submit(1, 1s);
  say(wire::Drain{});
  advance(1s);
  EXPECT_TRUE(finished);
  EXPECT_THAT(delivered(), ElementsAre(missing(1)));
}

TEST_F(ClientTest, DrainWithNothingOpenFinishesAtOnce) {
  say(wire::Drain{});
  EXPECT_TRUE(finished);
}

// --- what a peer should not say ---

TEST_F(ClientTest, MessagesForOthersAreCountedAndDropped) {
  join();
  say(wire::Seal{});
  take(client->on_message({.link = 1, .id = 0}, result(1), now));
  EXPECT_EQ(counters().unexpected, 2u);
  say(wire::Undecodable{});
  EXPECT_EQ(counters().undecodable, 1u);
  EXPECT_TRUE(client->joined());
}

}  // namespace
}  // namespace producer
