// The machine: submissions, the broker that it speaks to, and its absence.
#include "gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "tests/gateway/requests.h"
#include "tests/values.h"

namespace gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Reason;
using wire::ResultStatus;

// Throws, which ends the test and not the program, if there is none.
template <typename T>
const T& last(const std::vector<T>& all) {
  return all.at(all.size() - 1);
}

// The test plays the brokers and the HTTP clients.
class GatewayTest : public testing::Test {
 protected:
  explicit GatewayTest(const Policy& p = policy()) : gateway(p, {.high = 1, .low = 2}) {}

  static Policy policy() {
    Policy p;
    p.brokers = {"tcp://a:5570"};
    p.deadline = 5s;
    p.broker_wait = 2s;
    p.open_request_max = 4;
    return p;
  }

  void take(machine::Actions actions) {
    for (const machine::Outgoing& out : actions.messages) {
      if (const auto* submit = std::get_if<wire::Submit>(&out.message)) {
        sent.push_back(*submit);
        sent_to = out.to.link;
      }
      if (std::holds_alternative<wire::ProducerHello>(out.message)) hellos.push_back(out.to.link);
      if (const auto* cancel = std::get_if<wire::Cancel>(&out.message)) {
        cancelled.push_back(cancel->request.value);
      }
    }
    finished = actions.finished;
  }
  void welcome(wire::Instant now, wire::Epoch epoch = kEpoch, std::uint32_t broker = 0) {
    take(gateway.on_message({.link = broker},
                            wire::Welcome{.epoch = epoch,
                                          .heartbeat = 500ms,
                                          .credit = 8,
                                          .image_bytes_max = 1000,
                                          .deadline_max = 60s},
                            now));
  }
  void result(std::uint64_t id, ResultStatus status, wire::Instant now,
              Reason reason = Reason::none, std::uint32_t broker = 0) {
    wire::Result one;
    one.request = {.value = id};
    one.status = status;
    one.reason = reason;
    take(gateway.on_message({.link = broker}, one, now));
  }
  // What is submitted ends in `ends`: the statuses of its images.
  Gateway::Ticket submit(std::size_t images, wire::Instant now,
                         const producer::SubmitOptions& options = {}) {
    const auto ticket = gateway.submit(
        std::vector<wire::Payload>(images, wire::Payload(wire::Payload::Bytes(4))), options,
        [this](const std::vector<Outcome>& outcomes) {
          std::vector<int> statuses;
          for (const Outcome& outcome : outcomes) statuses.push_back(status_of(outcome));
          ends.push_back(statuses);
        },
        now);
    take(gateway.on_timeout(now));
    return ticket;
  }
  machine::Metric metric(std::string_view name) const {
    const machine::Telemetry report = gateway.telemetry();
    return *std::ranges::find(report.metrics, name, &machine::Metric::name);
  }
  double figure(std::string_view name, std::size_t sample = 0) const {
    return std::get<double>(metric(name).samples[sample].value);
  }
  // Has the machine do what is due up to `until`.
  void pass(wire::Instant until) {
    for (auto due = gateway.next_timeout(); due && *due <= until; due = gateway.next_timeout()) {
      clock = std::max(clock, *due);
      take(gateway.on_timeout(clock));
    }
    clock = until;
    take(gateway.on_timeout(clock));
  }

  Gateway gateway;
  wire::Instant clock;
  std::vector<wire::Submit> sent;
  std::uint32_t sent_to = 0;  // The broker of the last one.
  std::vector<std::uint32_t> hellos;
  std::vector<std::uint64_t> cancelled;
  std::vector<std::vector<int>> ends;
  bool finished = false;
};

TEST_F(GatewayTest, ASubmissionEndsOnceAllItsImagesHave) {
  welcome(at(0s));
  submit(3, at(0s), {.deadline = 700ms, .priority = wire::Priority::high});
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].remaining, 700ms);
  EXPECT_EQ(sent[0].priority, wire::Priority::high);
  result(3, ResultStatus::answered, at(10ms));
  result(1, ResultStatus::rejected, at(20ms), Reason::not_an_image);
  EXPECT_THAT(ends, IsEmpty());
  result(2, ResultStatus::missing, at(30ms));
  EXPECT_THAT(ends, ElementsAre(ElementsAre(415, 504, 200)));
  EXPECT_EQ(gateway.open(), 0u);
}

TEST_F(GatewayTest, AnImageThatTheBrokerRefusesIsNotSentAgain) {
  welcome(at(0s));
  submit(1, at(0s));
  result(1, ResultStatus::refused, at(10ms), Reason::overloaded);
  EXPECT_THAT(ends, ElementsAre(ElementsAre(429)));
}

TEST_F(GatewayTest, ABrokerThatDrainsIsWaitedFor) {
  welcome(at(0s));
  submit(1, at(0s));
  result(1, ResultStatus::refused, at(10ms), Reason::draining);
  EXPECT_THAT(ends, IsEmpty());
  welcome(at(300ms), kOtherEpoch);
  pass(at(400ms));
  ASSERT_GE(sent.size(), 2u);
  EXPECT_EQ(last(sent).request.value, 1u);
  result(1, ResultStatus::answered, at(500ms));
  EXPECT_THAT(ends, ElementsAre(ElementsAre(200)));
}

TEST_F(GatewayTest, ARestartOfTheBrokerLosesNothing) {
  welcome(at(0s));
  submit(2, at(0s));
  welcome(at(1s), kOtherEpoch);
  EXPECT_EQ(sent.size(), 4u);
  result(1, ResultStatus::answered, at(1100ms));
  result(2, ResultStatus::answered, at(1100ms));
  EXPECT_THAT(ends, ElementsAre(ElementsAre(200, 200)));
}

TEST_F(GatewayTest, WithoutABrokerRequestsWaitForBrokerWaitAndNoLonger) {
  pass(at(1s));  // The first turn was at 0: there is no broker since.
  submit(2, at(1s));
  pass(at(1900ms));
  EXPECT_THAT(ends, IsEmpty());
  pass(at(2s));
  EXPECT_THAT(ends, ElementsAre(ElementsAre(503, 503)));
  submit(1, at(3s));
  EXPECT_THAT(last(ends), ElementsAre(503));  // At once.
  EXPECT_THAT(gateway.telemetry().not_ready_reasons, ElementsAre("no broker"));
  welcome(at(4s));
  EXPECT_THAT(gateway.telemetry().not_ready_reasons, IsEmpty());
  submit(1, at(4s));
  EXPECT_EQ(ends.size(), 2u);
  ASSERT_FALSE(sent.empty());
  result(last(sent).request.value, ResultStatus::answered, at(5s));
  EXPECT_THAT(last(ends), ElementsAre(200));
}

TEST_F(GatewayTest, WithoutABrokerADeadlineBelowBrokerWaitEndsWith503Too) {
  pass(at(0s));
  submit(1, at(0s), {.deadline = 500ms});
  pass(at(499ms));
  EXPECT_THAT(ends, IsEmpty());
  pass(at(500ms));
  EXPECT_THAT(ends, ElementsAre(ElementsAre(503)));
}

TEST_F(GatewayTest, AWithdrawnSubmissionIsCancelledAndNotAnswered) {
  welcome(at(0s));
  const auto ticket = submit(2, at(0s));
  submit(1, at(0s));
  result(2, ResultStatus::answered, at(10ms));
  gateway.withdraw(ticket, at(20ms));
  pass(at(20ms));
  EXPECT_THAT(cancelled, ElementsAre(1));
  EXPECT_EQ(gateway.open(), 1u);
  result(1, ResultStatus::cancelled, at(30ms));
  result(3, ResultStatus::answered, at(30ms));
  EXPECT_THAT(ends, ElementsAre(ElementsAre(200)));
  gateway.withdraw(ticket, at(40ms));  // Again, and too late: nothing happens.
}

TEST_F(GatewayTest, ImagesAboveTheBoundAreRefusedWithoutTheOthers) {
  welcome(at(0s));
  submit(3, at(0s));
  submit(2, at(0s));
  EXPECT_EQ(sent.size(), 4u);
  result(4, ResultStatus::answered, at(10ms));
  EXPECT_THAT(ends, ElementsAre(ElementsAre(200, 429)));
}

TEST_F(GatewayTest, ADrainEndsWithTheLastAnswer) {
  welcome(at(0s));
  submit(1, at(0s));
  take(gateway.on_message(machine::kLocal, wire::Drain{}, at(1s)));
  EXPECT_FALSE(finished);
  submit(1, at(1s));
  EXPECT_THAT(ends, ElementsAre(ElementsAre(503)));
  result(1, ResultStatus::answered, at(2s));
  EXPECT_THAT(last(ends), ElementsAre(200));
  EXPECT_TRUE(finished);
}

TEST_F(GatewayTest, ANewerImageOfALatestStreamSupersedesTheOlder) {
  submit(1, at(0s), {.latest = 9});
  submit(1, at(0s), {.latest = 9});
  EXPECT_THAT(ends, ElementsAre(ElementsAre(409)));
}

TEST_F(GatewayTest, EveryOutcomeIsCounted) {
  gateway.add_metrics([](machine::Telemetry& more) { more.gauge("more", "", 1); });
  welcome(at(0s));
  submit(2, at(0s));
  result(1, ResultStatus::answered, at(10ms));
  result(2, ResultStatus::missing, at(10ms));
  const machine::Metric images = metric("collage_gateway_images_total");
  ASSERT_EQ(images.samples.size(), 2u);
  EXPECT_EQ(images.samples[0].labels[0].second, "200");
  EXPECT_EQ(std::get<double>(images.samples[0].value), 1);
  EXPECT_EQ(images.samples[1].labels[0].second, "504");
  EXPECT_EQ(figure("more"), 1);
  EXPECT_EQ(figure("collage_joined"), 1);
}

// --- several brokers ---

// A broker that is up answers each hello at once, as brokers do.
class GatewayOfTwoBrokers : public GatewayTest {
 protected:
  GatewayOfTwoBrokers() : GatewayOfTwoBrokers(2s) {}
  explicit GatewayOfTwoBrokers(wire::Duration broker_wait)
      : GatewayTest([&] {
          Policy p = policy();
          p.brokers = {"tcp://a:5570", "tcp://b:5570"};
          p.broker_wait = broker_wait;
          return p;
        }()) {}

  void answer_hellos() {
    for (const std::uint32_t broker : std::exchange(hellos, {})) {
      if (up[broker]) welcome(clock, kEpoch, broker);
    }
  }
  void play(wire::Instant until) {
    for (auto due = gateway.next_timeout(); due && *due <= until; due = gateway.next_timeout()) {
      pass(std::max(clock, *due));
      answer_hellos();
    }
    pass(until);
    answer_hellos();
  }

  std::array<bool, 2> up = {true, true};
};

TEST_F(GatewayOfTwoBrokers, WhatASilentBrokerHasIsAnsweredOnceByTheNext) {
  play(at(300ms));
  submit(2, at(300ms));
  EXPECT_EQ(sent_to, 0u);
  EXPECT_EQ(gateway.about(), "images go to tcp://a:5570");
  up[0] = false;
  play(at(900ms));
  EXPECT_EQ(sent.size(), 2u);
  play(at(1500ms));
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(sent_to, 1u);
  EXPECT_EQ(sent[2].request.value, 1u);
  EXPECT_LE(sent[2].remaining, 4300ms);  // The deadline has not moved.
  EXPECT_THAT(ends, IsEmpty());
  result(1, ResultStatus::answered, at(1500ms), Reason::none, 1);
  result(1, ResultStatus::answered, at(1500ms), Reason::none, 0);
  result(2, ResultStatus::answered, at(1500ms), Reason::none, 0);  // The first answer counts.
  EXPECT_THAT(ends, ElementsAre(ElementsAre(200, 200)));
}

TEST_F(GatewayOfTwoBrokers, TheBrokerInUseIsTold) {
  play(at(300ms));
  submit(1, at(300ms));
  EXPECT_EQ(figure("collage_gateway_broker_used", 0), 1);
  EXPECT_EQ(figure("collage_gateway_broker_used", 1), 0);
  up[0] = false;
  play(at(2s));
  EXPECT_EQ(gateway.about(), "images go to tcp://b:5570");
  EXPECT_THAT(gateway.telemetry().not_ready_reasons, IsEmpty());
  EXPECT_EQ(figure("collage_gateway_broker_used", 0), 0);
  EXPECT_EQ(figure("collage_gateway_broker_used", 1), 1);
  EXPECT_EQ(figure("collage_gateway_failovers_total"), 1);
  EXPECT_EQ(figure("collage_gateway_moved_total"), 1);
  EXPECT_EQ(figure("collage_joined"), 1);
  up[0] = true;
  play(at(10s));
  EXPECT_EQ(gateway.about(), "images go to tcp://a:5570");
}

TEST_F(GatewayOfTwoBrokers, ABrokerThatDrainsIsLeftForTheNext) {
  play(at(0s));
  submit(1, at(0s));
  result(1, ResultStatus::refused, at(10ms), Reason::draining);
  play(at(20ms));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent_to, 1u);
  result(1, ResultStatus::answered, at(30ms), Reason::none, 1);
  EXPECT_THAT(ends, ElementsAre(ElementsAre(200)));
}

TEST_F(GatewayOfTwoBrokers, BrokerWaitBeginsWhenBothHaveBeenTried) {
  up = {false, false};
  play(at(0s));
  submit(1, at(0s), {.deadline = 20s});
  play(at(2900ms));  // The second is tried after a second.
  EXPECT_THAT(ends, IsEmpty());
  EXPECT_THAT(gateway.telemetry().not_ready_reasons, ElementsAre("no broker"));
  play(at(3100ms));
  EXPECT_THAT(ends, ElementsAre(ElementsAre(503)));
  submit(1, at(4s));
  EXPECT_THAT(last(ends), ElementsAre(503));  // At once.
  up[1] = true;
  play(at(10s));
  submit(1, at(10s));
  EXPECT_EQ(ends.size(), 2u);
  EXPECT_EQ(sent_to, 1u);
}

TEST_F(GatewayOfTwoBrokers, OneThatRefusesUsIsNamed) {
  up = {false, false};
  play(at(0s));
  take(gateway.on_message({.link = 0}, wire::Refuse{.reason = Reason::wrong_protocol}, at(10ms)));
  play(at(100ms));
  EXPECT_THAT(gateway.telemetry().not_ready_reasons,
              ElementsAre("no broker", "broker tcp://a:5570 refuses us: wrong_protocol"));
  up[1] = true;
  play(at(1s));
  EXPECT_THAT(gateway.telemetry().not_ready_reasons, IsEmpty());
}

class GatewayOfLittlePatience : public GatewayOfTwoBrokers {
 protected:
  GatewayOfLittlePatience() : GatewayOfTwoBrokers(100ms) {}
};

TEST_F(GatewayOfLittlePatience, RequestsWaitWhileABrokerIsStillToBeTried) {
  up[0] = false;
  play(at(0s));
  submit(1, at(0s));
  play(at(990ms));
  EXPECT_THAT(ends, IsEmpty());
  play(at(1100ms));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent_to, 1u);
  result(1, ResultStatus::answered, at(1100ms), Reason::none, 1);
  EXPECT_THAT(ends, ElementsAre(ElementsAre(200)));
}

}  // namespace
}  // namespace gateway
