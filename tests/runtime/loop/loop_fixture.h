// A loop with a machine that records what it hears, and plain dealers as its peers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "runtime/loop/hand_over.h"
#include "runtime/loop/loop.h"
#include "wire/codec.h"

namespace runtime_test {

using namespace std::chrono_literals;
using machine::Actions;
using machine::Peer;
using runtime::Context;
using runtime::Link;
using runtime::Loop;
using testing::ElementsAre;
using testing::HasSubstr;
using wire::Instant;
using wire::Message;

inline constexpr const char* kPlace = "inproc://loop";
inline const Link kRouter{.kind = Link::Kind::router, .bind = true, .endpoint = kPlace};
inline const Link kTcpRouter{
    .kind = Link::Kind::router, .bind = true, .endpoint = "tcp://127.0.0.1:*"};

inline wire::Submit submission(wire::Payload image) { return {{1}, 0s, std::move(image)}; }

inline Actions finish() {
  Actions actions;
  actions.finished = true;
  return actions;
}

// Records its messages, answers a StatusRequest with a Status, and finishes at a Drain.
class Recorder : public machine::Machine {
 public:
  Actions on_message(Peer from, Message message, Instant now) override {
    heard.push_back(std::string(kind(message)));
    froms.push_back(from);
    Actions actions;
    if (std::holds_alternative<wire::StatusRequest>(message)) actions.send(from, wire::Status{});
    actions.finished = finishes && std::holds_alternative<wire::Drain>(message);
    if (also) also(from, message, now, actions);
    return actions;
  }
  Actions on_timeout(Instant now) override {
    heard.push_back("timeout");
    return std::exchange(timer, std::nullopt) && at_timeout ? at_timeout(now) : Actions{};
  }
  Actions on_done(wire::WorkId work, machine::Outcome outcome, Instant) override {
    heard.push_back("done " + std::to_string(work.value));
    return at_done ? at_done(work, outcome) : Actions{};
  }
  std::optional<Instant> next_timeout() const override { return timer; }

  std::vector<std::string> heard;
  std::vector<Peer> froms;
  bool finishes = true;
  std::optional<Instant> timer;
  std::function<void(Peer, const Message&, Instant, Actions&)> also;
  std::function<Actions(Instant)> at_timeout;
  std::function<Actions(wire::WorkId, const machine::Outcome&)> at_done;
};

// A peer of the loop: a plain dealer.
class Dealer {
 public:
  Dealer(Context& context, const std::string& endpoint, const std::string& id = "")
      : socket_(context.native(), zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 10000);
    if (!id.empty()) socket_.set(zmq::sockopt::routing_id, id);
    zmq_socket_monitor(socket_.handle(), "inproc://monitor", ZMQ_EVENT_DISCONNECTED);
    socket_.connect(endpoint);
  }

  void send(const Message& message) {
    const wire::Frames frames = encode(message);
    std::vector<std::string> parts{{frames.header.begin(), frames.header.end()}};
    const auto body = frames.payload.bytes();
    if (frames.has_payload) parts.emplace_back(body.begin(), body.end());
    send(parts);
  }
  void send(const std::vector<std::string>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool more = i + 1 < parts.size();
      socket_.send(zmq::buffer(parts[i]), more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  }
  // The next message; a test that waits ten seconds for it has failed.
  Message receive() {
    zmq::message_t header;
    if (!socket_.recv(header)) throw std::runtime_error("nothing came");
    runtime::take_over(header.data());
    std::vector<wire::Payload> payloads;
    while (socket_.get(zmq::sockopt::rcvmore)) {
      auto part = std::make_shared<zmq::message_t>();
      (void)socket_.recv(*part);
      runtime::take_over(part->data());
      payloads.emplace_back(part, std::span(part->data<std::uint8_t>(), part->size()));
    }
    return wire::decode({header.data<std::uint8_t>(), header.size()}, payloads).value();
  }
  void ask() {
    send(wire::StatusRequest{});
    EXPECT_TRUE(std::holds_alternative<wire::Status>(receive()));
  }
  // A counter of the loop.
  std::uint64_t ask_for(const std::string& name) {
    send(wire::StatusRequest{});
    const wire::Status status = std::get<wire::Status>(receive());
    return std::ranges::find(status.counters, name, &wire::Counter::name)->value;
  }
  zmq::socket_t& socket() { return socket_; }

 private:
  zmq::socket_t socket_;
};

// A loop in a thread of its own, stopped and joined at the end.
class Running {
 public:
  explicit Running(Loop& loop) : loop_(loop), thread_([this] { end_ = loop_.run(); }) {}
  ~Running() { stop(); }
  Loop::End stop() {
    if (thread_.joinable()) {
      loop_.stop();
      thread_.join();
    }
    return end_;
  }

 private:
  Loop& loop_;
  Loop::End end_{};
  std::thread thread_;
};

struct LoopTest : testing::Test {
  Loop make(std::vector<Link> links, Loop::Options options = {}) {
    return Loop(
        context, links, machine, [this](machine::Work work) { return run(work); }, options);
  }
  machine::Outcome run(const machine::Work& work) {
    machine.heard.push_back("run " + std::to_string(work.id.value));
    return {.what = wire::Verdict{}, .compute = 1ms, .version = "v"};
  }
  static machine::Work work(std::uint64_t id) { return {{id}, machine::Classify{}}; }

  Context context;
  Recorder machine;
};

}  // namespace runtime_test
