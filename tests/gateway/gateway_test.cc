// The machine: submissions, the broker that it speaks to, and its absence.
#include "gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/gateway/requests.h"
#include "tests/values.h"

namespace gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Reason;
using wire::ResultStatus;

constexpr machine::Peer kBroker{};

// The test plays the broker and the HTTP clients.
class GatewayTest : public testing::Test {
 protected:
  GatewayTest() : gateway(policy(), {.high = 1, .low = 2}) {}

  static Policy policy() {
    Policy p;
    p.deadline = 5s;
    p.broker_wait = 2s;
    p.open_request_max = 4;
    return p;
  }

  void take(machine::Actions actions) {
    for (const machine::Outgoing& out : actions.messages) {
      if (const auto* submit = std::get_if<wire::Submit>(&out.message)) sent.push_back(*submit);
      if (const auto* cancel = std::get_if<wire::Cancel>(&out.message)) {
        cancelled.push_back(cancel->request.value);
      }
    }
    finished = actions.finished;
  }
  void welcome(wire::Instant now, wire::Epoch epoch = kEpoch) {
    take(gateway.on_message(kBroker,
                            wire::Welcome{.epoch = epoch,
                                          .heartbeat = 500ms,
                                          .credit = 8,
                                          .image_bytes_max = 1000,
                                          .deadline_max = 60s},
                            now));
  }
  void result(std::uint64_t id, ResultStatus status, wire::Instant now,
              Reason reason = Reason::none) {
    wire::Result one;
    one.request = {.value = id};
    one.status = status;
    one.reason = reason;
    take(gateway.on_message(kBroker, one, now));
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
  EXPECT_EQ(sent.back().request.value, 1u);
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
  EXPECT_THAT(ends.back(), ElementsAre(503));  // At once.
  EXPECT_THAT(gateway.telemetry().not_ready_reasons, ElementsAre("no broker"));
  welcome(at(4s));
  EXPECT_THAT(gateway.telemetry().not_ready_reasons, IsEmpty());
  submit(1, at(4s));
  EXPECT_EQ(ends.size(), 2u);
  ASSERT_FALSE(sent.empty());
  result(sent.back().request.value, ResultStatus::answered, at(5s));
  EXPECT_THAT(ends.back(), ElementsAre(200));
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
  EXPECT_THAT(ends.back(), ElementsAre(200));
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
  const machine::Telemetry report = gateway.telemetry();
  const auto metric = [&](std::string_view name) {
    return *std::ranges::find(report.metrics, name, &machine::Metric::name);
  };
  const machine::Metric images = metric("collage_gateway_images_total");
  ASSERT_EQ(images.samples.size(), 2u);
  EXPECT_EQ(images.samples[0].labels[0].second, "200");
  EXPECT_EQ(std::get<double>(images.samples[0].value), 1);
  EXPECT_EQ(images.samples[1].labels[0].second, "504");
  EXPECT_EQ(std::get<double>(metric("more").samples[0].value), 1);
  EXPECT_EQ(std::get<double>(metric("collage_joined").samples[0].value), 1);
}

}  // namespace
}  // namespace gateway
