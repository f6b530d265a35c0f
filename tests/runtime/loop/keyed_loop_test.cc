// Links with keys over loopback: who may connect, what each role may send, and keys that change
// while the links are in use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "runtime/config/config_error.h"
#include "runtime/loop/loop.h"
#include "runtime/loop/socket.h"
#include "tests/runtime/security/key_folder.h"
#include "wire/codec.h"

namespace {

using namespace std::chrono_literals;
using machine::Actions;
using machine::Peer;
using runtime::Context;
using runtime::KeyOwner;
using runtime::KeyPair;
using runtime::KeyStore;
using runtime::Link;
using runtime::LinkName;
using runtime::Loop;
using testing::HasSubstr;
using wire::Instant;
using wire::Message;

// Answers a StatusRequest with a Status and records all other messages.
class Server : public machine::Machine {
 public:
  Actions on_message(Peer from, Message message, Instant) override {
    Actions actions;
    if (std::holds_alternative<wire::StatusRequest>(message)) {
      actions.send(from, wire::Status{});
    } else if (!std::holds_alternative<wire::Drain>(message)) {
      const auto* authenticated = std::get_if<wire::Authenticated>(&message);
      heard.push_back(std::string(kind(message)) +
                      (authenticated ? " " + authenticated->key_name : std::string()));
    }
    actions.finished = std::holds_alternative<wire::Drain>(message);
    return actions;
  }
  Actions on_timeout(Instant) override { return {}; }
  Actions on_done(wire::WorkId, machine::Outcome, Instant) override { return {}; }
  std::optional<Instant> next_timeout() const override { return std::nullopt; }

  std::vector<std::string> heard;
};

// Sends `first`, then a StatusRequest every few milliseconds; must be run again after each.
class Caller : public machine::Machine {
 public:
  Actions on_message(Peer, Message message, Instant) override {
    if (auto* status = std::get_if<wire::Status>(&message)) answer = *status;
    return {};
  }
  Actions on_timeout(Instant now) override {
    Actions actions;
    if (first) actions.send({0, 0}, *std::exchange(first, std::nullopt));
    actions.send({0, 0}, wire::StatusRequest{});
    due = now + 5ms;
    actions.finished = true;
    return actions;
  }
  Actions on_done(wire::WorkId, machine::Outcome, Instant) override { return {}; }
  std::optional<Instant> next_timeout() const override { return due; }

  std::optional<Message> first;
  std::optional<wire::Status> answer;
  Instant due;
};

// A process that listens with a key.  It has its own context, because a context has one ZAP
// handler.
class Listening {
 public:
  Listening(const runtime_test::KeyFolder& folder, LinkName name,
            const std::string& endpoint = "tcp://127.0.0.1:*")
      : keys(std::make_shared<KeyStore>(folder.path(), KeyOwner::broker)),
        loop_(context_,
              {{.kind = Link::Kind::router,
                .bind = true,
                .endpoint = endpoint,
                .keys = keys,
                .name = name}},
              server, nullptr, {}),
        endpoint_(loop_.bound_endpoint(0)),
        thread_([this] { loop_.run(); }) {}
  ~Listening() { stop(); }

  // The loop's counters.  Requires that the loop has ended.
  const runtime::LoopCounters& stop() {
    if (thread_.joinable()) {
      loop_.stop();
      thread_.join();
    }
    return loop_.counters();
  }
  const std::string& endpoint() const { return endpoint_; }

  const std::shared_ptr<KeyStore> keys;
  Server server;

 private:
  Context context_;
  Loop loop_;
  const std::string endpoint_;
  std::thread thread_;
};

// A process that connects with a key.
class Calling {
 public:
  Calling(const runtime_test::KeyFolder& folder, KeyOwner owner, LinkName name,
          const std::string& endpoint)
      : keys(std::make_shared<KeyStore>(folder.path(), owner)),
        loop_(context_, {{.endpoint = endpoint, .keys = keys, .name = name}}, caller, nullptr, {}) {
  }

  // Returns true if an answer came within the time that any handshake takes.
  bool ask() {
    caller.answer.reset();
    const Instant until = runtime::now() + 20s;
    while (!caller.answer && runtime::now() < until) turn();
    return caller.answer.has_value();
  }
  // Runs the loop until the machine finishes: one iteration, or several until its next call.
  void turn() { loop_.run(); }
  // The value of a server's counter in its last Status.
  std::uint64_t count(const std::string& name) const {
    if (!caller.answer) return 0;
    for (const wire::Counter& counter : caller.answer->counters) {
      if (counter.name == name) return counter.value;
    }
    return 0;
  }
  const runtime::LoopCounters& counters() const { return loop_.counters(); }

  const std::shared_ptr<KeyStore> keys;
  Caller caller;

 private:
  Context context_;
  Loop loop_;
};

class KeyedLoopTest : public testing::Test {
 protected:
  KeyedLoopTest() {
    listens.own("broker", broker);
    listens.trust("allowed/stages/h1", {stage.shared});
    listens.trust("allowed/producers/p1", {producer.shared});
    calls.own("stage", stage);
    calls.own("producer", producer);
    calls.trust("broker", {broker.shared});
  }

  template <class Enough>
  static bool turn_until(Calling& calling, Enough enough) {
    const Instant until = runtime::now() + 20s;
    while (!enough() && runtime::now() < until) calling.turn();
    return enough();
  }

  const KeyPair broker = runtime::new_key_pair();
  const KeyPair next_broker = runtime::new_key_pair();
  const KeyPair stage = runtime::new_key_pair();
  const KeyPair producer = runtime::new_key_pair();
  const KeyPair unlisted = runtime::new_key_pair();
  runtime_test::KeyFolder listens, calls;
};

TEST_F(KeyedLoopTest, PeersThatAllowEachOtherExchangeMessages) {
  Listening listening(listens, LinkName::workers);
  Calling calling(calls, KeyOwner::stage, LinkName::workers, listening.endpoint());
  EXPECT_TRUE(calling.ask());
  const auto& counters = listening.stop();
  // Not `handshakes_failed`: a machine that is busy enough exceeds the handshake's two seconds.
  EXPECT_EQ(counters.keys_refused + counters.denied, 0u);
  EXPECT_EQ(calling.counters().own_key_refused, 0u);
}

TEST_F(KeyedLoopTest, AnUnknownKeyIsRefusedAndCountedOnBothSides) {
  calls.own("stage", unlisted);
  Listening listening(listens, LinkName::workers);
  Calling calling(calls, KeyOwner::stage, LinkName::workers, listening.endpoint());
  EXPECT_TRUE(turn_until(calling, [&] { return calling.counters().own_key_refused > 0; }));
  EXPECT_FALSE(calling.caller.answer);
  EXPECT_GT(listening.stop().keys_refused, 0u);
  EXPECT_EQ(listening.stop().received, 0u);
}

TEST_F(KeyedLoopTest, AProducersKeyIsRefusedOnTheWorkersLink) {
  Listening listening(listens, LinkName::workers);
  Calling calling(calls, KeyOwner::producer, LinkName::workers, listening.endpoint());
  EXPECT_TRUE(turn_until(calling, [&] { return calling.counters().own_key_refused > 0; }));
  EXPECT_EQ(listening.stop().received, 0u);
}

TEST_F(KeyedLoopTest, AServerWithAnotherKeyGetsNoMessages) {
  listens.own("broker", next_broker);
  Listening listening(listens, LinkName::workers);
  Calling calling(calls, KeyOwner::stage, LinkName::workers, listening.endpoint());
  EXPECT_TRUE(turn_until(calling, [&] { return calling.counters().handshakes_failed > 0; }));
  EXPECT_GT(listening.stop().handshakes_failed, 0u);
  EXPECT_EQ(listening.stop().received, 0u);
}

TEST_F(KeyedLoopTest, APeerWithoutAKeyIsCountedAndOthersAreServed) {
  Listening listening(listens, LinkName::workers);
  Context context;
  zmq::socket_t plain(context.native(), zmq::socket_type::dealer);
  plain.set(zmq::sockopt::linger, 0);
  runtime::Handshakes handshakes(context, plain);
  plain.connect(listening.endpoint());
  plain.send(zmq::buffer(encode(wire::StatusRequest{}).header), zmq::send_flags::none);
  zmq::pollitem_t item{handshakes.handle(), 0, ZMQ_POLLIN, 0};
  ASSERT_EQ(zmq_poll(&item, 1, 20000), 1);
  const auto happened = handshakes.take();
  EXPECT_TRUE(!happened || happened->event != runtime::Handshakes::Event::succeeded);
  Calling calling(calls, KeyOwner::stage, LinkName::workers, listening.endpoint());
  EXPECT_TRUE(calling.ask());
  EXPECT_GT(listening.stop().handshakes_failed, 0u);
}

TEST_F(KeyedLoopTest, AMessageThatAKeyDoesNotAllowIsDeniedAndCounted) {
  Listening listening(listens, LinkName::workers);
  Calling calling(calls, KeyOwner::stage, LinkName::workers, listening.endpoint());
  calling.caller.first = wire::SlotSettled{};
  EXPECT_TRUE(calling.ask());
  EXPECT_EQ(listening.stop().denied, 1u);
  EXPECT_THAT(listening.server.heard, testing::IsEmpty());
}

TEST_F(KeyedLoopTest, AHelloOfAProducerComesWithTheNameOfItsKey) {
  Listening listening(listens, LinkName::producers);
  Calling calling(calls, KeyOwner::producer, LinkName::producers, listening.endpoint());
  calling.caller.first = wire::ProducerHello{{1, 2}, false};
  EXPECT_TRUE(calling.ask());
  listening.stop();
  EXPECT_THAT(listening.server.heard, testing::ElementsAre("authenticated p1", "producer_hello"));
}

TEST_F(KeyedLoopTest, AStatusCountsPeersWithUnknownKeys) {
  Listening listening(listens, LinkName::workers);
  Calling calling(calls, KeyOwner::stage, LinkName::workers, listening.endpoint());
  calling.caller.first = wire::SlotSettled{};
  ASSERT_TRUE(calling.ask());
  EXPECT_THAT(calling.caller.answer->counters,
              testing::IsSupersetOf<wire::Counter>(
                  {{"loop_denied", 1}, {"loop_keys_refused", 0}, {"loop_handshakes_failed", 0}}));
}

TEST_F(KeyedLoopTest, AKeyThatIsAllowedLaterIsAdmittedWithoutARestart) {
  calls.own("stage", unlisted);
  Listening listening(listens, LinkName::workers);
  Calling calling(calls, KeyOwner::stage, LinkName::workers, listening.endpoint());
  ASSERT_TRUE(turn_until(calling, [&] { return calling.counters().own_key_refused > 0; }));
  listens.trust("allowed/stages/h2", {unlisted.shared});
  listening.keys->refresh();
  EXPECT_TRUE(calling.ask());
}

TEST_F(KeyedLoopTest, MessagesOfAKeyThatIsNoLongerAllowedAreDropped) {
  listens.trust("allowed/stages/h2", {unlisted.shared});
  Listening listening(listens, LinkName::workers);
  Calling calling(calls, KeyOwner::stage, LinkName::workers, listening.endpoint());
  ASSERT_TRUE(calling.ask());
  listens.remove("allowed/stages/h1.public");
  listening.keys->refresh();
  calls.own("stage", unlisted);
  Calling observer(calls, KeyOwner::stage, LinkName::workers, listening.endpoint());
  EXPECT_TRUE(turn_until(observer, [&] {
    calling.turn();
    return observer.count("loop_denied") > 0;
  }));
}

TEST_F(KeyedLoopTest, AClientThatKnowsBothKeysFollowsItsServerToTheNewOne) {
  calls.trust("broker", {broker.shared, next_broker.shared});
  auto listening = std::make_unique<Listening>(listens, LinkName::workers);
  const std::string endpoint = listening->endpoint();
  Calling calling(calls, KeyOwner::stage, LinkName::workers, endpoint);
  ASSERT_TRUE(calling.ask());
  listening.reset();
  listens.own("broker", next_broker);
  listening = std::make_unique<Listening>(listens, LinkName::workers, endpoint);
  EXPECT_TRUE(turn_until(calling, [&] { return calling.counters().server_keys_tried > 0; }));
  EXPECT_TRUE(calling.ask());
}

TEST_F(KeyedLoopTest, ARunningClientReadsANewServerKey) {
  auto listening = std::make_unique<Listening>(listens, LinkName::workers);
  const std::string endpoint = listening->endpoint();
  Calling calling(calls, KeyOwner::stage, LinkName::workers, endpoint);
  ASSERT_TRUE(calling.ask());
  listening.reset();
  listens.own("broker", next_broker);
  listening = std::make_unique<Listening>(listens, LinkName::workers, endpoint);
  ASSERT_TRUE(turn_until(calling, [&] { return calling.counters().handshakes_failed > 0; }));
  calls.trust("broker", {next_broker.shared});
  calling.keys->refresh();
  EXPECT_TRUE(calling.ask());
}

TEST_F(KeyedLoopTest, OneServerOfAContextHasKeys) {
  Listening listening(listens, LinkName::workers);
  Context context;
  Server server;
  const auto keys = std::make_shared<KeyStore>(listens.path(), KeyOwner::broker);
  const Link link{.kind = Link::Kind::router,
                  .bind = true,
                  .endpoint = "tcp://127.0.0.1:*",
                  .keys = keys,
                  .name = LinkName::workers};
  Loop loop(context, {link, link}, server, nullptr, {});
  EXPECT_THROW(Loop(context, {link}, server, nullptr, {}), runtime::ConfigError);
}

// The client's side of a link without a loop; the test calls it.
class KeyedSocketTest : public KeyedLoopTest {
 protected:
  Link link(const std::string& endpoint, int hwm = 1000) {
    return {.endpoint = endpoint,
            .send_hwm = hwm,
            .keys = std::make_shared<KeyStore>(calls.path(), KeyOwner::stage),
            .name = LinkName::workers};
  }
  // Polls handshakes until a message has come.
  bool tend_until_answered(runtime::Socket& socket) {
    const Instant until = runtime::now() + 20s;
    for (Instant now = runtime::now(); now < until; now = runtime::now()) {
      socket.poll_handshakes(64, now, counters);
      runtime::Incoming in;
      if (socket.receive(in) == runtime::Socket::Received::message) return true;
      std::array<zmq::pollitem_t, 2> items{
          {{socket.handle(), 0, ZMQ_POLLIN, 0}, {socket.handshake_handle(), 0, ZMQ_POLLIN, 0}}};
      zmq_poll(items.data(), 2, 10);
    }
    return false;
  }

  Context context;
  runtime::HandshakeCounters counters;
};

TEST_F(KeyedSocketTest, WhatIsSentBeforeTheRightKeyIsFoundArrivesInOrder) {
  calls.trust("broker", {next_broker.shared, broker.shared});
  Listening listening(listens, LinkName::workers);
  runtime::Socket socket(context, link(listening.endpoint()));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(socket.send(0, encode(wire::Ready{})), runtime::Socket::Sent::sent);
  }
  EXPECT_EQ(socket.send(0, encode(wire::StatusRequest{})), runtime::Socket::Sent::sent);
  ASSERT_TRUE(tend_until_answered(socket));
  EXPECT_EQ(counters.other_key, 1u);
  listening.stop();
  EXPECT_EQ(listening.server.heard.size(), 100u);
}

// A socket with its events takes three of libzmq's sockets, of which the context allows six, and
// others take up to three.
TEST_F(KeyedSocketTest, ALinkThatCannotBeReopenedStaysAsItIsAndIsReopenedLater) {
  calls.trust("broker", {next_broker.shared, broker.shared});
  Listening listening(listens, LinkName::workers);
  for (const std::size_t missing : {1, 2, 3}) {
    SCOPED_TRACE(missing);
    Context small;
    ASSERT_EQ(zmq_ctx_set(small.native().handle(), ZMQ_MAX_SOCKETS, 6), 0);
    runtime::Socket socket(small, link(listening.endpoint()));
    std::vector<zmq::socket_t> others;
    while (others.size() < missing) others.emplace_back(small.native(), zmq::socket_type::pair);
    counters = {};
    const Instant until = runtime::now() + 20s;
    while (counters.not_reopened.empty() && runtime::now() < until) {
      zmq::pollitem_t item{socket.handshake_handle(), 0, ZMQ_POLLIN, 0};
      zmq_poll(&item, 1, 10);
      socket.poll_handshakes(64, runtime::now(), counters);
    }
    EXPECT_THAT(counters.not_reopened, HasSubstr(listening.endpoint() + ": "));
    EXPECT_EQ(counters.other_key, 0u);
    EXPECT_EQ(socket.send(0, encode(wire::StatusRequest{})), runtime::Socket::Sent::sent);
    EXPECT_TRUE(socket.next_timeout());
    others.clear();
    EXPECT_TRUE(tend_until_answered(socket));
    EXPECT_EQ(counters.other_key, 1u);
  }
}

TEST_F(KeyedSocketTest, AServerWhoseZapHandlerIsMissingAdmitsNobody) {
  Link server = link("tcp://127.0.0.1:*");
  server.kind = Link::Kind::router;
  server.bind = true;
  runtime::Socket bound(context, server);
  calls.trust("broker", {stage.shared});
  runtime::Socket socket(context, link(bound.bound_endpoint()));
  zmq::pollitem_t item{bound.handshake_handle(), 0, ZMQ_POLLIN, 0};
  while (counters.failed == 0 && zmq_poll(&item, 1, 20000) == 1) {
    bound.poll_handshakes(64, runtime::now(), counters);
  }
  EXPECT_EQ(counters.failed, 1u);
}

// libzmq reports the end of the connection right after the failure at which this test stops.  If
// nobody read that event, libzmq's thread would block, and with it every socket of the context.
TEST_F(KeyedSocketTest, ASocketThatIsClosedAtAFailureBlocksNoOther) {
  Listening listening(listens, LinkName::workers);
  for (int i = 0; i < 200; ++i) {
    zmq::socket_t wrong(context.native(), zmq::socket_type::dealer);
    wrong.set(zmq::sockopt::linger, 0);
    wrong.set(zmq::sockopt::curve_serverkey, next_broker.shared.text());
    wrong.set(zmq::sockopt::curve_publickey, stage.shared.text());
    wrong.set(zmq::sockopt::curve_secretkey, std::string(stage.secret.text()));
    runtime::Handshakes handshakes(context, wrong);
    wrong.connect(listening.endpoint());
    zmq::pollitem_t item{handshakes.handle(), 0, ZMQ_POLLIN, 0};
    ASSERT_EQ(zmq_poll(&item, 1, 20000), 1) << "after " << i;
    EXPECT_EQ(handshakes.take().value().event, runtime::Handshakes::Event::silent);
  }
  runtime::Socket socket(context, link(listening.endpoint()));
  socket.send(0, encode(wire::StatusRequest{}));
  EXPECT_TRUE(tend_until_answered(socket));
}

TEST_F(KeyedSocketTest, AsManyWaitForAHandshakeAsAConnectionMayHold) {
  runtime::Socket socket(context, link("tcp://127.0.0.1:9", 3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(socket.send(0, encode(wire::Ready{})), runtime::Socket::Sent::sent);
  }
  EXPECT_EQ(socket.send(0, encode(wire::Ready{})), runtime::Socket::Sent::blocked);
}

TEST_F(KeyedSocketTest, AServerWithoutAKnownKeyIsAnErrorOfTheConfiguration) {
  calls.remove("broker.public");
  try {
    const runtime::Socket socket(context, link("tcp://127.0.0.1:9"));
    FAIL() << "opened";
  } catch (const runtime::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("broker.public: is missing"));
  }
}

}  // namespace
