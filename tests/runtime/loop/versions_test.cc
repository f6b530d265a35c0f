// A loop answers each peer in the version of the protocol that the peer spoke last.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "runtime/loop/hand_over.h"
#include "runtime/loop/loop.h"
#include "wire/codec.h"

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr const char* kGreeterPlace = "inproc://versions";

const wire::Message kWelcome = wire::Welcome{{7}, 1s, 8, 1000, 10s, 0s};

// In version 2 its reason has another number.
wire::Message overloaded() {
  wire::Result result;
  result.status = wire::ResultStatus::refused;
  result.reason = wire::Reason::overloaded;
  return result;
}

// Welcomes producers and refuses their images.
class Greeter : public machine::Machine {
 public:
  machine::Actions on_message(machine::Peer from, wire::Message message, wire::Instant) override {
    heard.push_back(std::string(kind(message)));
    machine::Actions actions;
    if (std::holds_alternative<wire::ProducerHello>(message)) actions.send(from, kWelcome);
    if (std::holds_alternative<wire::Submit>(message)) actions.send(from, overloaded());
    actions.finished = std::holds_alternative<wire::Drain>(message);
    return actions;
  }
  machine::Actions on_timeout(wire::Instant) override { return {}; }
  machine::Actions on_done(wire::WorkId, machine::Outcome, wire::Instant) override { return {}; }
  std::optional<wire::Instant> next_timeout() const override { return std::nullopt; }

  std::vector<std::string> heard;
};

// A plain DEALER that sends and receives bytes.
class RawPeer {
 public:
  explicit RawPeer(runtime::Context& context)
      : socket_(context.native(), zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 10000);
    socket_.connect(kGreeterPlace);
  }
  void send(const std::vector<std::uint8_t>& header, bool image = false) {
    socket_.send(zmq::buffer(header), image ? zmq::send_flags::sndmore : zmq::send_flags::none);
    if (image) socket_.send(zmq::buffer("image", 5), zmq::send_flags::none);
  }
  // The header of the next message; a test that waits ten seconds for it has failed.
  std::vector<std::uint8_t> receive() {
    zmq::message_t header;
    if (!socket_.recv(header)) throw std::runtime_error("nothing came");
    runtime::take_over(header.data());
    const auto* data = header.data<std::uint8_t>();
    return {data, data + header.size()};
  }

 private:
  zmq::socket_t socket_;
};

TEST(Versions, EachPeerIsAnsweredInTheVersionThatItSpokeLast) {
  runtime::Context context;
  Greeter machine;
  runtime::Loop loop(
      context, {{.kind = runtime::Link::Kind::router, .bind = true, .endpoint = kGreeterPlace}},
      machine, nullptr, {});
  std::thread thread([&loop] { loop.run(); });
  RawPeer old(context);
  RawPeer current(context);
  old.send({0x94, 2, 1, 0x92, 5, 6, 0xc2});
  EXPECT_EQ(old.receive(), encode(kWelcome, 2).header);
  current.send(encode(wire::ProducerHello{{5, 7}}).header);
  EXPECT_EQ(current.receive(), encode(kWelcome).header);
  old.send({0x94, 2, 5, 42, 0}, true);
  EXPECT_EQ(old.receive(), encode(overloaded(), 2).header);
  old.send({0x95, 2, 7, 0, 0x90, 0xc2});  // Of a worker: not served in version 2.
  old.send(encode(wire::Submit{}).header, true);
  EXPECT_EQ(old.receive(), encode(overloaded()).header);
  loop.stop();
  thread.join();
  EXPECT_EQ(loop.counters().wrong_protocol, 1u);
  EXPECT_THAT(machine.heard, ElementsAre("producer_hello", "producer_hello", "submit",
                                         "undecodable", "submit", "drain"));
}

}  // namespace
