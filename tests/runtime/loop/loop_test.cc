#include "runtime/loop/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "runtime/config/config_error.h"
#include "tests/runtime/loop/loop_fixture.h"
#include "wire/codec.h"

namespace runtime_test {
namespace {

TEST_F(LoopTest, ServesAPeerOverTcpOnThePortItWasGiven) {
  Loop loop = make({kTcpRouter});
  Running running(loop);
  Dealer peer(context, loop.bound_endpoint(0));
  peer.ask();
  EXPECT_EQ(running.stop(), Loop::End::finished);
  EXPECT_THAT(machine.heard, ElementsAre("probe", "drain"));
  EXPECT_EQ(machine.froms.back(), machine::kLocal);
}

TEST_F(LoopTest, TwoLoopsOfOneContextTalk) {
  Recorder other;
  other.timer = Instant{};
  other.at_timeout = [](Instant) {
    Actions hello;
    hello.send({0, 0}, wire::StatusRequest{});
    return hello;
  };
  other.also = [](Peer, const Message& message, Instant, Actions& actions) {
    actions.finished = std::holds_alternative<wire::Status>(message);
  };
  Loop loop = make({kRouter});
  Running running(loop);
  Loop client(context, {{.endpoint = kPlace}}, other, nullptr, {});
  EXPECT_EQ(client.run(), Loop::End::finished);
  EXPECT_THAT(other.heard, ElementsAre("timeout", "status"));
  EXPECT_EQ(other.froms[0], (Peer{0, 0}));
}

TEST_F(LoopTest, PassesAPictureOnWithoutCopyingIt) {
  const wire::Payload image(wire::Payload::Bytes(100000, 7));
  machine.also = [&](Peer from, const Message& message, Instant, Actions& actions) {
    if (const auto* submit = std::get_if<wire::Submit>(&message)) {
      actions.send(from, wire::Assign{{}, {}, 0, false, {}, {}, submit->image});
      actions.send(from, submission(image));
    }
  };
  Loop loop = make({kRouter});
  Running running(loop);
  Dealer peer(context, kPlace);
  std::vector<std::uint8_t> sent(100000, 9);
  const std::vector<std::uint8_t> header = encode(wire::Submit{}).header;
  peer.socket().send(zmq::buffer(header), zmq::send_flags::sndmore);
  zmq::message_t frame(sent.data(), sent.size(), [](void*, void*) {});
  peer.socket().send(frame, zmq::send_flags::none);
  EXPECT_EQ(std::get<wire::Assign>(peer.receive()).image.bytes().data(), sent.data());
  EXPECT_EQ(std::get<wire::Submit>(peer.receive()).image.bytes().data(), image.bytes().data());
}

TEST_F(LoopTest, RunsADueTimerBeforeAMessage) {
  Loop loop = make({kRouter});
  Dealer peer(context, kPlace);
  peer.send(wire::StatusRequest{});
  machine.timer = Instant{};
  loop.stop();
  EXPECT_EQ(loop.run(), Loop::End::finished);
  EXPECT_THAT(machine.heard, ElementsAre("timeout", "drain", "probe"));
}

TEST_F(LoopTest, WaitsForATimerThatIsNotYetDue) {
  const Instant due = runtime::now() + 3ms;
  machine.timer = due;
  machine.at_timeout = [&](Instant now) {
    EXPECT_GE(now, due);
    return finish();
  };
  EXPECT_EQ(make({kRouter}).run(), Loop::End::finished);
  EXPECT_THAT(machine.heard, ElementsAre("timeout"));
}

// The best of several runs, because any single one may be late on a busy machine.
TEST_F(LoopTest, WaitsForPartsOfAMillisecond) {
  wire::Duration late = 1h;
  int left = 20;
  std::optional<Instant> due;
  machine.timer = Instant{};  // Due at once; the loop runs from then on.
  machine.at_timeout = [&](Instant now) {
    if (due) late = std::min(late, now - *due);
    if (--left == 0) return finish();
    due = now + 1100us;
    machine.timer = due;
    return machine::Actions{};
  };
  EXPECT_EQ(make({kRouter}).run(), Loop::End::finished);
  EXPECT_LT(late, 600us);
}

TEST_F(LoopTest, AsksForTheNextTimeoutAgainWhenWoken) {
  // Has no timeout at the first call, and gets one right after that.
  struct Woken : Recorder {
    std::optional<Instant> next_timeout() const override {
      if (std::exchange(given, true)) return Instant{};
      loop->wake();
      return std::nullopt;
    }
    mutable bool given = false;
    Loop* loop = nullptr;
  } woken;
  Loop loop(context, {kRouter}, woken, nullptr, {});
  woken.loop = &loop;
  woken.timer = Instant{};
  woken.at_timeout = [](Instant) { return finish(); };
  EXPECT_EQ(loop.run(), Loop::End::finished);
}

TEST_F(LoopTest, RunsWorkAfterSendingAndReportsItsEnd) {
  Loop loop = make({kRouter});
  Dealer peer(context, kPlace);
  machine.also = [](Peer, const Message& message, Instant, Actions& actions) {
    if (std::holds_alternative<wire::StatusRequest>(message)) actions.work = work(1);
  };
  machine.at_done = [&](wire::WorkId id, const machine::Outcome& outcome) {
    EXPECT_EQ(outcome.version, "v");
    Actions actions;
    if (id.value == 1) {
      EXPECT_TRUE(std::holds_alternative<wire::Status>(peer.receive()));  // Sent before the work.
      peer.send(wire::DropCollage{});
      actions.work = work(2);
    }
    actions.finished = id.value == 2;
    return actions;
  };
  peer.send(wire::StatusRequest{});
  EXPECT_EQ(loop.run(), Loop::End::finished);
  // The second piece of work does not delay the message.
  EXPECT_THAT(machine.heard, ElementsAre("probe", "run 1", "done 1", "drop", "run 2", "done 2"));
}

TEST_F(LoopTest, CountsGarbageAndServesOtherPeers) {
  Loop loop = make({kRouter});
  Running running(loop);
  Dealer liar(context, kPlace);
  liar.send({"GET / HTTP/1.1"});
  liar.send({""});
  liar.send({std::string("\xdd\xff\xff\xff\xff", 5)});
  liar.send({std::string("\x92\x05\x13", 3)});  // A status request of version 5.
  Dealer honest(context, kPlace);
  honest.ask();
  liar.ask();
  running.stop();
  EXPECT_EQ(loop.counters().bad_message, 3u);
  EXPECT_EQ(loop.counters().wrong_protocol, 1u);
  EXPECT_EQ(loop.counters().received, 2u);
  EXPECT_EQ(std::count(machine.heard.begin(), machine.heard.end(), "undecodable"), 4);
}

TEST_F(LoopTest, DropsAMessageOfAThousandPartsAsAWhole) {
  Loop loop = make({kRouter});
  Running running(loop);
  Dealer peer(context, kPlace);
  peer.send(std::vector<std::string>(1000, "\x92\x04\x13"));
  peer.ask();
  running.stop();
  EXPECT_EQ(loop.counters().bad_message, 1u);
  EXPECT_THAT(machine.heard, ElementsAre("undecodable", "probe", "drain"));
}

TEST_F(LoopTest, CountsAConnectionOnWhichNobodySaysAnything) {
  Loop loop = make({kTcpRouter});
  Running running(loop);
  const Dealer silent(context, loop.bound_endpoint(0));
  std::uint64_t accepted = 0;
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (accepted == 0 && std::chrono::steady_clock::now() < end) {
    loop.call_on_loop([&] { accepted = loop.counters().accepted; }, 1s);
  }
  EXPECT_EQ(accepted, 1u);
}

TEST_F(LoopTest, CutsOffAPeerThatSendsAnOversizeFrame) {
  Link link = kTcpRouter;
  link.frame_bytes_max = 1000;
  Loop loop = make({link});
  Running running(loop);
  Dealer peer(context, loop.bound_endpoint(0));
  peer.ask();
  zmq::socket_t monitor(context.native(), zmq::socket_type::pair);
  monitor.set(zmq::sockopt::rcvtimeo, 10000);
  monitor.connect("inproc://monitor");
  peer.send(submission(wire::Payload(wire::Payload::Bytes(1001))));
  zmq::message_t event;
  EXPECT_TRUE(monitor.recv(event)) << "not disconnected";
  Dealer honest(context, loop.bound_endpoint(0));
  honest.ask();
  running.stop();
  EXPECT_THAT(machine.heard, ElementsAre("probe", "probe", "drain"));
}

TEST_F(LoopTest, DropsMessagesOfPeersThatChooseTheirOwnRoutingId) {
  Loop loop = make({kRouter});
  Running running(loop);
  Dealer named(context, kPlace, "worker-1");
  named.send(wire::StatusRequest{});
  Dealer of_five_bytes(context, kPlace, "abcde");
  of_five_bytes.send(wire::StatusRequest{});
  Dealer honest(context, kPlace);
  honest.ask();
  running.stop();
  EXPECT_EQ(loop.counters().foreign_id, 2u);
  EXPECT_THAT(machine.heard, ElementsAre("probe", "drain"));
}

TEST_F(LoopTest, RoutingIdsCannotBeForetold) {
  for (int run = 0; run < 2; ++run) {
    std::srand(1);  // As in a process that seeds nothing.
    Loop loop = make({kTcpRouter});
    Running running(loop);
    zmq::socket_t dealer(context.native(), zmq::socket_type::dealer);
    dealer.set(zmq::sockopt::linger, 0);
    dealer.set(zmq::sockopt::rcvtimeo, 10000);
    dealer.connect(loop.bound_endpoint(0));
    const wire::Frames question = encode(wire::StatusRequest{});
    dealer.send(zmq::buffer(question.header), zmq::send_flags::none);
    zmq::message_t answer;
    EXPECT_TRUE(dealer.recv(answer));
    running.stop();
  }
  ASSERT_GE(machine.froms.size(), 3u);  // Of each run the question, and a drain.
  EXPECT_NE(machine.froms[0], machine.froms[2]);
}

TEST_F(LoopTest, ReportsAPeerThatCannotBeReachedToTheMachine) {
  const Peer gone{0, (std::uint64_t{1} << 32) | 12345};
  machine.timer = Instant{};
  machine.at_timeout = [&](Instant) {
    Actions actions;
    actions.send(gone, submission(wire::Payload(wire::Payload::Bytes(100))));
    return actions;
  };
  machine.also = [&](Peer from, const Message& message, Instant, Actions& actions) {
    EXPECT_EQ(from, gone);
    EXPECT_EQ(std::get<wire::Undelivered>(message).why, wire::Undelivered::Why::unroutable);
    actions.finished = true;
  };
  Loop loop = make({kRouter});
  EXPECT_EQ(loop.run(), Loop::End::finished);
  EXPECT_EQ(loop.counters().unroutable, 1u);
  EXPECT_EQ(loop.counters().sent, 0u);
}

TEST_F(LoopTest, ReportsAPeerWhoseQueueIsFullToTheMachine) {
  machine.timer = Instant{};
  machine.at_timeout = [&](Instant) {
    Actions actions;
    for (int i = 0; i < 5; ++i) actions.send({0, 0}, wire::StatusRequest{});
    return actions;
  };
  machine.also = [&](Peer, const Message& message, Instant, Actions& actions) {
    EXPECT_EQ(std::get<wire::Undelivered>(message).why, wire::Undelivered::Why::blocked);
    actions.finished = true;
  };
  Loop loop = make({{.endpoint = "inproc://nobody", .send_hwm = 2}});
  EXPECT_EQ(loop.run(), Loop::End::finished);
  EXPECT_EQ(loop.counters().sent, 2u);
  EXPECT_EQ(loop.counters().blocked, 3u);
  EXPECT_THAT(machine.heard, ElementsAre("timeout", "undelivered", "undelivered", "undelivered"));
}

TEST(SendHwmFor, HasRoomForFourMessagesAnImageAndAsMuchAsUsualAtLeast) {
  EXPECT_EQ(runtime::send_hwm_for(4096), 16'384);
  EXPECT_EQ(runtime::send_hwm_for(1), runtime::Link{}.send_hwm);
}

TEST_F(LoopTest, ReadsItsLinksInTurn) {
  Link second = kRouter;
  second.endpoint = "inproc://second";
  Loop loop = make({kRouter, second}, {.messages_per_iteration_max = 4});
  Dealer loud(context, kPlace);
  for (int i = 0; i < 20; ++i) loud.send(wire::DropCollage{});
  Dealer quiet(context, second.endpoint);
  quiet.send(wire::DropCollage{});
  int turns = 0;
  machine.timer = Instant{};
  machine.at_timeout = [&](Instant) {
    if (++turns == 2) return finish();
    machine.timer = Instant{};
    return Actions{};
  };
  loop.run();
  // Two iterations with four messages; the quiet link's is among the first two.
  EXPECT_EQ(loop.counters().received, 8u);
  EXPECT_TRUE(machine.froms[0].link == 1 || machine.froms[1].link == 1);
}

TEST_F(LoopTest, AddsItsOwnCountersToAStatus) {
  Loop loop = make({kRouter});
  Running running(loop);
  Dealer peer(context, kPlace);
  peer.send({"?"});
  peer.send(wire::StatusRequest{});
  const auto status = std::get<wire::Status>(peer.receive());
  EXPECT_THAT(status.counters, testing::IsSupersetOf<wire::Counter>(
                                   {{"loop_received", 1}, {"loop_bad_message", 1}}));
}

TEST_F(LoopTest, LogsNoMoreLinesThanItsRateAllows) {
  int logged = 0;
  machine.timer = Instant{};
  machine.at_timeout = [&](Instant) {
    Actions actions = finish();
    for (int i = 0; i < 5; ++i) actions.log(machine::LogMessage::Level::info, "again");
    return actions;
  };
  Loop loop = make({kRouter}, {.log_lines_per_second_max = 3,
                               .on_log = [&](const machine::LogMessage&) { ++logged; }});
  loop.run();
  EXPECT_EQ(logged, 3);
  EXPECT_EQ(loop.counters().notes_dropped, 2u);
}

TEST_F(LoopTest, EndsLateIfTheMachineDoesNotDrainInTime) {
  machine.finishes = false;
  Loop loop = make({kRouter}, {.drain_max = 2ms});
  loop.stop();
  EXPECT_EQ(loop.run(), Loop::End::late);
  EXPECT_THAT(machine.heard, ElementsAre("drain"));
}

TEST_F(LoopTest, EndsAtOnceAtASecondStop) {
  machine.finishes = false;
  Loop loop = make({kRouter}, {.drain_max = 1h});
  loop.stop();
  loop.stop();
  EXPECT_EQ(loop.run(), Loop::End::forced);
}

TEST_F(LoopTest, DrainsOnASignal) {
  runtime::Signals signals;
  Loop loop = make({kRouter}, {.signals = &signals});
  kill(getpid(), SIGTERM);
  EXPECT_EQ(loop.run(), Loop::End::finished);
  EXPECT_THAT(machine.heard, ElementsAre("drain"));
}

TEST_F(LoopTest, CallsBackAtAHangupAndContinues) {
  runtime::Signals signals(runtime::Signals::Hangup::reloads);
  int hangups = 0;
  Loop loop = make({kRouter}, {.signals = &signals, .on_hangup = [&] {
                                 ++hangups;
                                 kill(getpid(), SIGTERM);
                               }});
  kill(getpid(), SIGHUP);
  EXPECT_EQ(loop.run(), Loop::End::finished);
  EXPECT_EQ(hangups, 1);
}

TEST_F(LoopTest, BeatsWhileTheMachineWaitsForNothing) {
  int beats = 0;
  Loop* running = nullptr;
  Loop loop = make({kRouter}, {.beat_every = 1ms, .on_beat = [&] {
                                 if (++beats == 3) running->stop();
                               }});
  running = &loop;
  EXPECT_EQ(loop.run(), Loop::End::finished);
  EXPECT_EQ(beats, 3);
}

TEST_F(LoopTest, NamesTheEndpointThatItCannotOpen) {
  Loop loop = make({kTcpRouter});
  Link taken = kTcpRouter;
  taken.endpoint = loop.bound_endpoint(0);
  try {
    make({taken});
    FAIL() << "opened twice";
  } catch (const runtime::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr(taken.endpoint));
    EXPECT_THAT(error.what(), HasSubstr("in use"));
  }
}

TEST_F(LoopTest, RunsCallsBetweenTwoIterations) {
  Loop loop = make({kRouter});
  Running running(loop);
  machine::Telemetry report;
  EXPECT_TRUE(loop.call_on_loop([&] { report = loop.telemetry(); }, 10s));
  EXPECT_EQ(report.metrics.front().name, "collage_messages_received_total");
}

}  // namespace
}  // namespace runtime_test
