// One broker, functions that act as each of its peers, and the messages that it sends them.
//
//     join_worker(1); submit(1, 10); ... received<wire::Assign>(worker(1)) ... settle(...)
//
// The pipeline is small: a 2 x 2 grid, two classes, deadlines of a second.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "broker/broker.h"
#include "tests/values.h"

namespace broker {

using namespace std::chrono_literals;

constexpr machine::Peer producer(std::uint64_t n) { return {kProducers, n}; }
constexpr machine::Peer worker(std::uint64_t n) { return {kWorkers, n}; }
constexpr machine::Peer assembler(std::uint64_t n) { return {kWorkers, 50 + n}; }
inline constexpr machine::Peer kSink{kWorkers, 90}, kOtherSink{kWorkers, 91};

// Grid 2, labels cat and dog, linger 40 ms, hedge after 200 ms, deadline 1 s, heartbeat 100 ms.
Policy small_policy(std::string_view redundancy = "none");

class BrokerTest : public testing::Test {
 protected:
  BrokerTest() { make(small_policy()); }
  void make(Policy policy);

  void say(machine::Peer from, wire::Message message);
  // Lets every timer up to `t` go at its own time.
  void advance(wire::Duration t);
  // Lets time pass until `t` while the broker is stopped: then all that is due goes at once.
  void pause(wire::Duration t);

  void join_producer(std::uint64_t n);
  void join_worker(std::uint64_t n, std::uint32_t capacity = 4);
  void join_assembler(std::uint64_t n, std::uint32_t capacity = 4);
  void join_sink(std::uint64_t id = 1, machine::Peer peer = kSink, wire::SinkIndex index = 0);
  void submit(std::uint64_t producer_number, std::uint64_t request, std::size_t bytes = 10,
              wire::Duration remaining = {});
  void cancel(std::uint64_t producer_number, std::uint64_t request);
  void ready(machine::Peer from, std::uint64_t seen, std::vector<wire::Sequence> held = {},
             bool leaving = false);
  void settle(wire::BatchId batch, wire::Slot slot, wire::Source source = wire::Source::single,
              wire::Verdict verdict = {{{{1}, 0.9f}}, wire::Reason::none});

  // The messages of this kind that `peer` has received since the last call.
  template <class T>
  std::vector<T> received(machine::Peer peer) {
    std::vector<T> found;
    std::erase_if(sent_, [&](const machine::Outgoing& out) {
      const T* message = std::get_if<T>(&out.message);
      if (!message || out.to != peer) return false;
      found.push_back(*message);
      return true;
    });
    return found;
  }
  // The one message of this kind that `peer` has received since the last call.
  template <class T>
  T the(machine::Peer peer) {
    const std::vector<T> all = received<T>(peer);
    EXPECT_EQ(all.size(), 1u);
    return all.size() == 1 ? all.front() : T{};
  }
  // The requests of a producer that have been answered in this way since the last call.
  std::vector<std::uint64_t> results(std::uint64_t producer_number, wire::ResultStatus status);
  std::uint64_t counter(std::string_view name) const;
  bool noted(std::string_view part) const;
  void forget() { sent_.clear(); }

  std::unique_ptr<Broker> broker;
  wire::Instant now;
  bool finished = false;
  std::vector<machine::LogMessage> notes;

 private:
  void take(machine::Actions actions);
  std::vector<machine::Outgoing> sent_;
};

}  // namespace broker
