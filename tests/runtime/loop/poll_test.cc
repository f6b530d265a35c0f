#include "runtime/loop/poll.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "runtime/loop/clock.h"
#include "runtime/loop/event_fd.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;

// Long enough for any machine; no test waits for so long.
wire::Instant late() { return now() + 60s; }

class PollTest : public testing::Test {
 protected:
  PollTest() : ours(context, zmq::socket_type::pair), theirs(context, zmq::socket_type::pair) {
    ours.bind("inproc://poll");
    theirs.connect("inproc://poll");
  }
  void say(zmq::socket_t& socket) { socket.send(zmq::str_buffer("hello"), zmq::send_flags::none); }
  int take_all() {
    int count = 0;
    zmq::message_t message;
    while (ours.recv(message, zmq::recv_flags::dontwait)) ++count;
    return count;
  }

  zmq::context_t context;
  zmq::socket_t ours, theirs;
  Poll poll;
};

TEST_F(PollTest, ReturnsAtTheInstantAndNothingIsReady) {
  EventFd event;
  const auto source = poll.add_socket(ours.handle());
  const auto other = poll.add_descriptor(event.descriptor());
  const wire::Instant until = now() + 3ms;
  poll.wait(until);
  EXPECT_GE(now(), until);
  EXPECT_FALSE(poll.ready(source) || poll.ready(other));
  poll.wait(until);  // It is over: returns at once.
}

TEST_F(PollTest, ADescriptorIsReadyWhileItIsReadable) {
  EventFd event;
  event.notify();
  const auto source = poll.add_descriptor(event.descriptor());
  poll.wait(late());
  EXPECT_TRUE(poll.ready(source));
  event.take();
  poll.wait(now());
  EXPECT_FALSE(poll.ready(source));
}

TEST_F(PollTest, AMessageFromAnotherThreadEndsTheWait) {
  const auto source = poll.add_socket(ours.handle());
  std::thread other([&] { say(theirs); });
  poll.wait(std::nullopt);
  other.join();
  EXPECT_TRUE(poll.ready(source));
  EXPECT_EQ(take_all(), 1);
}

// Sending takes note of what has come, after which the descriptor of the socket is silent.
TEST_F(PollTest, AMessageThatCameBeforeOursWasSentIsSeen) {
  const auto source = poll.add_socket(ours.handle());
  for (int i = 0; i < 100; ++i) {
    say(theirs);
    say(ours);
    poll.wait(late());
    ASSERT_TRUE(poll.ready(source));
    ASSERT_EQ(take_all(), 1);
  }
}

TEST_F(PollTest, WhatWasNotTakenIsStillReady) {
  const auto source = poll.add_socket(ours.handle());
  say(theirs);
  say(theirs);
  for (int i = 0; i < 2; ++i) {
    poll.wait(late());
    ASSERT_TRUE(poll.ready(source));
    zmq::message_t message;
    ASSERT_TRUE(ours.recv(message, zmq::recv_flags::dontwait));
  }
  poll.wait(now());
  EXPECT_FALSE(poll.ready(source));
}

TEST_F(PollTest, ADrainedSocketIsReadyForEachMessage) {
  say(theirs);  // Before it is added.
  for (int i = 0; i < 100; ++i) {
    poll.clear();
    const auto source = poll.add_drained_socket(ours.handle());
    poll.wait(late());
    ASSERT_TRUE(poll.ready(source));
    ASSERT_EQ(take_all(), 1);
    poll.wait(now());
    ASSERT_FALSE(poll.ready(source));
    say(theirs);
  }
}

// The side that connects gets no word of a pipe that nobody has found empty yet, as a monitor's.
TEST_F(PollTest, ADrainedSocketMayBeTheOneThatConnected) {
  zmq::message_t message;
  ASSERT_FALSE(theirs.recv(message, zmq::recv_flags::dontwait));
  const auto source = poll.add_drained_socket(theirs.handle());
  for (int i = 0; i < 3; ++i) {
    say(ours);
    poll.wait(late());
    ASSERT_TRUE(poll.ready(source));
    while (theirs.recv(message, zmq::recv_flags::dontwait)) {
    }
  }
}

TEST_F(PollTest, ADescriptorIsSeenWhileASocketIsAlwaysReady) {
  EventFd event;
  event.notify();
  say(theirs);
  const auto socket = poll.add_socket(ours.handle());
  const auto source = poll.add_descriptor(event.descriptor());
  poll.wait(late());
  EXPECT_TRUE(poll.ready(socket) && poll.ready(source));
}

}  // namespace
}  // namespace runtime
