// One client with several brokers: silence, the next broker, and the way back.
#include <array>

#include "tests/producer/client_fixture.h"

namespace producer {
namespace {

constexpr std::size_t kBrokers = 3;

// The test plays the brokers.  One that is up answers each hello at once, as brokers do.
class FailoverTest : public testing::Test {
 protected:
  static Policy failover_policy() {
    Policy p = policy();
    p.brokers = kBrokers;
    p.deadline = 10s;
    return p;
  }
  void SetUp() override {
    up.fill(true);
    advance(0s);
  }

  void take(machine::Actions actions) {
    for (machine::Outgoing& out : actions.messages) {
      Seen& seen = seen_[out.to.link];
      if (const auto* submit = std::get_if<wire::Submit>(&out.message)) {
        seen.submits.push_back(submit->request.value);
        last_submit = *submit;
      } else if (const auto* cancel = std::get_if<wire::Cancel>(&out.message)) {
        seen.cancels.push_back(cancel->request.value);
      } else {
        ++seen.hellos;
        if (up[out.to.link]) welcomes_.push_back(out.to.link);
      }
    }
  }
  // Runs every timer up to `t`, each at its own time, and the brokers' welcomes.
  void advance(Duration t) {
    answer();
    for (auto next = client->next_timeout(); *next <= at(t); next = client->next_timeout()) {
      now = std::max(now, *next);
      take(client->on_timeout(now));
      answer();
      ASSERT_LT(++turns_, 10000) << "The client keeps itself busy.";
    }
    now = at(t);
  }
  void say(std::uint32_t broker, wire::Message message) {
    take(client->on_message({.link = broker}, std::move(message), now));
    answer();
  }
  void welcome(std::uint32_t broker) {
    say(broker, wire::Welcome{.epoch = epochs[broker],
                              .heartbeat = 500ms,
                              .credit = credit,
                              .image_bytes_max = 100,
                              .deadline_max = 20s,
                              .correction_window = 2s});
  }
  void answer() {
    while (!welcomes_.empty()) {
      const std::uint32_t broker = welcomes_.back();
      welcomes_.pop_back();
      welcome(broker);
    }
  }
  void submit(std::uint64_t id, std::optional<StreamId> stream = std::nullopt) {
    ASSERT_EQ(client->submit({id}, image(), {.stream = stream}, now), Client::Submitted::queued);
    advance(now.since_start);
  }
  void result(std::uint32_t broker, std::uint64_t id, ResultStatus status = ResultStatus::answered,
              Reason reason = Reason::none) {
    wire::Result r;
    r.request = {id};
    r.status = status;
    r.reason = reason;
    say(broker, r);
  }
  std::vector<std::uint64_t> sent(std::size_t broker) {
    return std::exchange(seen_[broker].submits, {});
  }
  std::vector<std::uint64_t> cancels(std::size_t broker) {
    return std::exchange(seen_[broker].cancels, {});
  }
  int hellos(std::size_t broker) { return std::exchange(seen_[broker].hellos, 0); }
  std::vector<std::pair<std::uint64_t, ResultStatus>> delivered() {
    std::vector<std::pair<std::uint64_t, ResultStatus>> out;
    for (const Delivered& d : client->take_results()) {
      out.emplace_back(d.result.request.value, d.result.status);
    }
    return out;
  }
  static std::pair<std::uint64_t, ResultStatus> answered(std::uint64_t id) {
    return {id, ResultStatus::answered};
  }
  // The first broker falls silent with the requests 1 and 2 in flight, and the second gets them.
  void lose_first(std::optional<StreamId> stream = std::nullopt) {
    submit(1, stream);
    submit(2, stream);
    up[0] = false;
    advance(1600ms);
    EXPECT_THAT(sent(0), ElementsAre(1, 2));
    EXPECT_THAT(sent(1), ElementsAre(1, 2));
  }
  const Client::Counters& counters() const { return client->counters(); }

  std::unique_ptr<Client> client = std::make_unique<Client>(failover_policy());
  Instant now;
  std::array<bool, kBrokers> up{};
  std::array<wire::Epoch, kBrokers> epochs = {kEpoch, kEpoch, kEpoch};
  std::uint32_t credit = 4;
  wire::Submit last_submit;

 private:
  struct Seen {
    std::vector<std::uint64_t> submits, cancels;
    int hellos = 0;
  };
  std::array<Seen, kBrokers> seen_;
  std::vector<std::uint32_t> welcomes_;
  int turns_ = 0;
};

TEST_F(FailoverTest, AHealthyFirstBrokerIsTheOnlyOneThatHearsOfUs) {
  submit(1);
  advance(10s);
  EXPECT_GE(hellos(0), 20);
  EXPECT_EQ(hellos(1) + hellos(2), 0);
  EXPECT_EQ(client->broker(), 0u);
}

TEST_F(FailoverTest, WhatIsUnansweredGoesToTheNextBrokerWhenTheFirstIsSilent) {
  submit(1);
  submit(2);
  up[0] = false;
  advance(999ms);
  EXPECT_EQ(hellos(1), 0);
  advance(1s);
  EXPECT_THAT(sent(0), ElementsAre(1, 2));
  EXPECT_THAT(sent(1), ElementsAre(1, 2));
  EXPECT_EQ(last_submit.remaining, 9s);  // The deadline runs on.
  EXPECT_EQ(client->broker(), 1u);
  EXPECT_TRUE(client->joined());
  EXPECT_EQ(counters().failovers, 1u);
  EXPECT_EQ(counters().moved, 2u);
  EXPECT_EQ(hellos(2), 0);
}

TEST_F(FailoverTest, ABrokerThatAnswersNothingButHellosIsWaitedFor) {
  submit(1);
  advance(9s);
  EXPECT_EQ(counters().failovers, 0u);
  EXPECT_EQ(hellos(1), 0);
}

TEST_F(FailoverTest, ALongHeartbeatLeavesTheHelloTimeToBeAnswered) {
  say(0, wire::Welcome{.epoch = kEpoch, .heartbeat = 3s, .credit = 4, .image_bytes_max = 100});
  up[0] = false;
  advance(3499ms);
  EXPECT_EQ(counters().failovers, 0u);
  advance(3500ms);
  EXPECT_EQ(counters().failovers, 1u);
}

TEST_F(FailoverTest, TheNextAfterASilentOneIsSilentToo) {
  up[1] = false;
  submit(1);
  up[0] = false;
  advance(1999ms);
  EXPECT_THAT(sent(2), IsEmpty());
  advance(2s);
  EXPECT_THAT(sent(2), ElementsAre(1));
  EXPECT_THAT(sent(1), IsEmpty());
  result(2, 1);
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
}

TEST_F(FailoverTest, WithEveryBrokerSilentTheOneThatIsHeardFirstGetsEverything) {
  submit(1);
  up.fill(false);
  advance(6s);
  EXPECT_FALSE(client->joined());
  sent(0);
  up[1] = true;
  advance(8s);
  EXPECT_THAT(sent(1), ElementsAre(1));
  EXPECT_THAT(sent(0), IsEmpty());
}

TEST_F(FailoverTest, ABrokerThatNeverAnsweredIsLeftAsWell) {
  client = std::make_unique<Client>(failover_policy());
  up[0] = false;
  now = at(1h);  // The clock of a process need not begin at zero.
  submit(1);
  advance(1h + 999ms);
  EXPECT_THAT(sent(1), IsEmpty());
  advance(1h + 1s);
  EXPECT_THAT(sent(1), ElementsAre(1));
}

TEST_F(FailoverTest, TheFirstAnswerIsDeliveredAndTheSecondDropped) {
  lose_first();
  result(0, 1);  // It had it already.
  result(1, 1);
  result(1, 2);
  result(0, 2);
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
  EXPECT_EQ(counters().duplicate_results, 2u);
}

TEST_F(FailoverTest, OfABrokerThatWasLeftOnlyAnAnswerCounts) {
  lose_first();
  result(0, 1, ResultStatus::missing, Reason::no_answer);
  result(0, 2, ResultStatus::refused, Reason::full);
  EXPECT_THAT(delivered(), IsEmpty());
  EXPECT_EQ(counters().left_results, 2u);
  result(1, 1);
  result(1, 2);
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
}

TEST_F(FailoverTest, ResultsOfAStreamKeepTheirOrder) {
  const StreamId stream{.value = 1};
  lose_first(stream);
  submit(3, stream);
  EXPECT_THAT(sent(1), ElementsAre(3));
  result(1, 3);
  result(0, 2);
  EXPECT_THAT(delivered(), IsEmpty());
  result(1, 1);
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2), answered(3)));
}

TEST_F(FailoverTest, TheFirstBrokerGetsRequestsAgainOnceItHasBeenBackForAWhile) {
  lose_first();
  up[0] = true;
  welcome(0);
  advance(3599ms);
  submit(3);
  EXPECT_THAT(sent(1), ElementsAre(3));
  advance(3600ms);
  submit(4);
  EXPECT_THAT(sent(0), ElementsAre(4));
  EXPECT_EQ(client->broker(), 0u);
  // What the second has stays there, and it goes on hearing from us until it has answered.
  hellos(1);
  advance(5s);
  EXPECT_GT(hellos(1), 0);
  for (const std::uint64_t id : {1, 2, 3}) result(1, id);
  result(0, 4);
  EXPECT_EQ(delivered().size(), 4u);
  hellos(1);
  advance(9s);
  EXPECT_EQ(hellos(1), 0);
}

TEST_F(FailoverTest, ABrokerThatComesAndGoesGetsNothingUntilItStays) {
  lose_first();
  for (int i = 0; i < 3; ++i) {
    up[0] = true;
    welcome(0);
    advance(now.since_start + 300ms);
    up[0] = false;
    advance(now.since_start + 1500ms);
  }
  EXPECT_EQ(client->broker(), 1u);
  EXPECT_THAT(sent(0), IsEmpty());
}

TEST_F(FailoverTest, WhatTheNextHasAnsweredIsWithdrawnFromTheFirst) {
  lose_first();
  result(1, 1);
  EXPECT_THAT(cancels(0), IsEmpty());  // It does not listen.
  up[0] = true;
  welcome(0);
  EXPECT_THAT(cancels(0), ElementsAre(1));
  result(0, 1, ResultStatus::cancelled);
  result(1, 2);
  EXPECT_THAT(cancels(0), ElementsAre(2));
  EXPECT_EQ(delivered().size(), 2u);
}

TEST_F(FailoverTest, WhatTheFirstStillHasCountsAgainstItsCredit) {
  lose_first();
  up[0] = true;
  welcome(0);
  advance(3600ms);
  for (const std::uint64_t id : {3, 4, 5}) submit(id);
  EXPECT_THAT(sent(0), ElementsAre(3, 4));  // Of four, two are taken.
  result(0, 1);
  EXPECT_THAT(sent(0), ElementsAre(5));
}

TEST_F(FailoverTest, ABrokerThatRestartedHasNothingAndGetsNothingWithdrawn) {
  lose_first();
  result(1, 1);
  epochs[0] = kOtherEpoch;
  up[0] = true;
  welcome(0);
  EXPECT_THAT(cancels(0), IsEmpty());
  EXPECT_THAT(sent(0), IsEmpty());  // Request 2 is the second's.
}

TEST_F(FailoverTest, ABrokerThatDrainsAnswersWhatItHasAndTheNextGetsTheRest) {
  submit(1);
  submit(2);
  result(0, 2, ResultStatus::refused, Reason::draining);
  EXPECT_THAT(sent(1), ElementsAre(2));
  submit(3);
  EXPECT_THAT(sent(1), ElementsAre(3));
  EXPECT_THAT(sent(0), ElementsAre(1, 2));
  result(0, 1);
  EXPECT_THAT(delivered(), ElementsAre(answered(1)));
  // Its successor gets requests again.
  advance(3s);
  epochs[0] = kOtherEpoch;
  welcome(0);
  advance(5s);
  submit(4);
  EXPECT_THAT(sent(0), ElementsAre(4));
}

TEST_F(FailoverTest, ABrokerThatRefusesUsIsLeftAtOnce) {
  submit(1);
  up[0] = false;
  say(0, wire::Refuse{.reason = Reason::too_many_peers});
  EXPECT_THAT(sent(1), ElementsAre(1));
  EXPECT_EQ(client->refusal(), Reason::none);
}

TEST_F(FailoverTest, ABrokerThatForgotUsIsNot) {
  submit(1);
  sent(0);
  result(0, 1, ResultStatus::refused, Reason::unknown_producer);
  advance(200ms);
  EXPECT_THAT(sent(0), ElementsAre(1));
  EXPECT_EQ(hellos(1), 0);
}

TEST_F(FailoverTest, AClientThatWasStoppedItselfReadsBeforeItJudges) {
  submit(1);
  advance(500ms);
  for (const Duration pause : {300ms, 450ms, 600ms, 5000ms}) {
    up[0] = false;
    advance(now.since_start + 600ms);  // A hello is sent.  Nobody reads its Welcome during `pause`.
    now = now + pause;
    take(client->on_timeout(now));
    EXPECT_EQ(counters().failovers, 0u);
    up[0] = true;
    welcome(0);
    advance(now.since_start + 1s);
  }
  EXPECT_EQ(counters().failovers, 0u);
  EXPECT_THAT(sent(1), IsEmpty());
}

TEST_F(FailoverTest, ACancelGoesToTheBrokerThatHasTheRequest) {
  lose_first();
  ASSERT_TRUE(client->cancel({1}, now));
  advance(now.since_start);
  EXPECT_THAT(cancels(1), ElementsAre(1));
  EXPECT_THAT(cancels(0), IsEmpty());
  result(1, 1, ResultStatus::cancelled);
  EXPECT_EQ(delivered().size(), 1u);
}

}  // namespace
}  // namespace producer
