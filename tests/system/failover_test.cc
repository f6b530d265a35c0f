// Brokers that stop, die or become unreachable while images are in flight.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "producer/connection.h"
#include "runtime/loop/clock.h"
#include "tests/system/forwarder.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::Forwarder;
using system_test::LivePipeline;
using system_test::Sample;
using testing::Each;

// A producer that counts how often each of its images was answered.
class Watched {
 public:
  explicit Watched(const std::vector<std::string>& endpoints, producer::Policy policy = {})
      : connection(endpoints, policy) {}

  void submit(const std::vector<Sample>& images, std::optional<producer::StreamId> stream = {}) {
    for (const Sample& image : images) {
      const std::size_t index = answers.size();
      answers.push_back(0);
      const auto id = connection.submit(
          image.image, [this, index](const producer::Delivered& got) { note(index, got.result); },
          {.stream = stream});
      ASSERT_TRUE(id.has_value());
    }
  }
  // Polls until `enough`, or for `limit`; returns how long it took.
  wire::Duration poll_until(const std::function<bool()>& enough, wire::Duration limit) {
    const wire::Instant begin = runtime::now();
    begin_ = begin;
    first_.reset();
    while (!enough() && runtime::now() - begin < limit) {
      if (connection.poll(5ms) > 0 && !first_) first_ = runtime::now();
      if (forwarder) forwarder->step();
    }
    return runtime::now() - begin;
  }
  bool all() const { return order.size() == answers.size(); }
  // What the last poll_until saw, for a message.
  std::string said() const {
    const producer::Client::Counters& counters = connection.counters();
    return "first result after " +
           std::to_string(first_ ? wire::to_seconds(*first_ - begin_) : -1.0) + " s, failovers " +
           std::to_string(counters.failovers) + ", resubmitted " +
           std::to_string(counters.resubmitted) + ", retried " + std::to_string(counters.retried) +
           ", without an answer: " + others;
  }

  Forwarder* forwarder = nullptr;  // Stepped while polling.
  producer::Connection connection;
  std::vector<int> answers;        // By image: how often it was answered.
  std::vector<std::size_t> order;  // The images in the order of their results.
  bool in_order = true;
  std::string others;  // The results that are no answers.

 private:
  void note(std::size_t index, const wire::Result& result) {
    if (result.status == wire::ResultStatus::answered) {
      answers[index] += 1;
    } else {
      others += std::to_string(index) + " " + std::string(to_string(result.status)) + " (" +
                std::string(to_string(result.reason)) + ") ";
    }
    if (!order.empty()) in_order = in_order && order.back() < index;
    order.push_back(index);
  }

  wire::Instant begin_;
  std::optional<wire::Instant> first_;
};

class Failover : public testing::Test {
 protected:
  Failover() : first({{"policy", "none"}}, kSize), second({{"policy", "none"}}, kSize) {}

  static constexpr replay::live::Fleet::Size kSize{.classifiers = 1, .collages = 0};
  // Submits images twice, and returns how long the first ones took, which depends on the host.  Of
  // the second ones the first pipeline has answered a few.
  wire::Duration start(Watched& producer) const {
    producer.connection.join(10s);
    producer.submit(images, producer::StreamId{.value = 1});
    const wire::Duration usual = producer.poll_until([&] { return producer.all(); }, 30s);
    producer.submit(images, producer::StreamId{.value = 1});
    producer.poll_until([&] { return producer.order.size() >= images.size() + 5; }, 30s);
    return usual;
  }

  const std::vector<Sample> images = system_test::samples(60);
  LivePipeline first, second;
};

// A second until the broker counts as silent; then the next answers as fast as the first would
// have.
TEST_F(Failover, WhatAStoppedBrokerHasIsAnsweredByTheNext) {
  Watched producer({first.producers(), second.producers()});
  const wire::Duration usual = start(producer);
  first.fleet().process("broker").signal(SIGSTOP);
  ASSERT_FALSE(producer.all());
  EXPECT_LT(producer.poll_until([&] { return producer.all(); }, 30s), 2s + usual)
      << producer.said();
  EXPECT_THAT(producer.answers, Each(1)) << producer.said();
  EXPECT_TRUE(producer.in_order);
  EXPECT_EQ(producer.connection.broker(), 1u);
  EXPECT_GT(second.counters().at("requests_admitted"), 0u);
  first.fleet().process("broker").signal(SIGCONT);
  producer.poll_until([&] { return producer.connection.broker() == 0; }, 30s);
  EXPECT_EQ(producer.connection.broker(), 0u);
  producer.submit(images);
  producer.poll_until([&] { return producer.all(); }, 30s);
  EXPECT_THAT(producer.answers, Each(1)) << producer.said();
  EXPECT_TRUE(first.stop());
  EXPECT_TRUE(second.stop());
}

TEST_F(Failover, WhatAKilledBrokerHadIsAnsweredByTheNext) {
  Watched producer({first.producers(), second.producers()});
  const wire::Duration usual = start(producer);
  first.fleet().process("broker").signal(SIGKILL);
  first.fleet().process("broker").wait(5s);
  ASSERT_FALSE(producer.all());
  EXPECT_LT(producer.poll_until([&] { return producer.all(); }, 30s), 2s + usual)
      << producer.said();
  EXPECT_THAT(producer.answers, Each(1)) << producer.said();
  EXPECT_TRUE(producer.in_order);
  first.fleet().restart("broker");
  first.await([](const auto& now) { return now.at("classifiers") == 1; });
  EXPECT_TRUE(first.stop());
  EXPECT_TRUE(second.stop());
}

TEST(Broker, ThatRestartsWithFiveHundredRequestsInFlightAnswersEachOnceAndSoon) {
  LivePipeline pipeline(
      {{"policy", "none"}, {"broker.deadline", "10s"}, {"broker.producer_credit", "500"}},
      {.classifiers = 2, .collages = 0});
  Watched producer({pipeline.producers()});
  ASSERT_TRUE(producer.connection.join(10s));
  // How long they take without a restart depends on the host.
  const std::vector<Sample> images = system_test::samples(500);
  producer.submit(images);
  const wire::Duration usual = producer.poll_until([&] { return producer.all(); }, 30s);
  producer.submit(images);
  producer.poll_until([&] { return producer.order.size() > images.size(); }, 30s);
  replay::live::Process& broker = pipeline.fleet().process("broker");
  broker.signal(SIGKILL);
  broker.wait(5s);
  ASSERT_FALSE(producer.all());
  // Long enough for the client to notice.
  producer.poll_until([&] { return !producer.connection.joined(); }, 5s);
  pipeline.fleet().restart("broker");
  EXPECT_LT(producer.poll_until([&] { return producer.all(); }, 30s), 2s + usual)
      << producer.said();
  EXPECT_THAT(producer.answers, Each(1)) << producer.said();
  EXPECT_TRUE(pipeline.stop());
}

// In which directions a link loses what is sent.
struct Broken {
  bool to_server, to_client;
};

// It is noticed within 1.5 s; connecting takes up to 200 ms, the next hello up to 250 ms.
TEST(Link, ThatIsHalfOpenHealsAndLosesNothing) {
  LivePipeline pipeline({{"policy", "none"}}, {.classifiers = 1, .collages = 0});
  Forwarder forwarder(pipeline.producers());
  Watched producer({forwarder.endpoint()});
  producer.forwarder = &forwarder;
  for (const Broken broken : {Broken{true, true}, {true, false}, {false, true}}) {
    // How long they take on a link that works depends on the host.
    producer.submit(system_test::samples(20));
    const wire::Duration usual = producer.poll_until([&] { return producer.all(); }, 30s);
    forwarder.swallow(broken.to_server, broken.to_client);
    producer.submit(system_test::samples(20));
    EXPECT_LT(producer.poll_until([&] { return producer.all(); }, 30s), 2s + 2 * usual)
        << broken.to_server << broken.to_client << producer.said();
    EXPECT_THAT(producer.answers, Each(1)) << producer.said();
  }
  EXPECT_TRUE(pipeline.stop());
}

}  // namespace
