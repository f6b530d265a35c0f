// The broker of broker_fixture.h under overload.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/broker/broker_fixture.h"

namespace broker {

inline Policy overload_policy(std::string_view redundancy) {
  Policy policy = small_policy(redundancy);
  policy.heartbeat = 1s;
  policy.open_request_max = 100;
  policy.open_bytes_max = 10'000;
  policy.producer_credit = 100;
  return policy;
}

// One s-CNN that takes 100 ms an image: with a patience of 200 ms, a third image that waits is
// overload.  A request is known by the size of its image.
class BrokerOverloadTest : public BrokerTest {
 protected:
  BrokerOverloadTest() { begin(overload_policy("collage")); }
  // Ends at 1.6 s, when the broker has learned what the s-CNN can do.
  void begin(Policy policy) {
    make(std::move(policy));
    join_producer(1);
    join_producer(2);
    join_sink();
    join_worker(1, 1);
    for (std::uint64_t request = 81; request <= 96; ++request) {
      send(1, request);
      answer();
    }
    forget();
  }
  void send(std::uint64_t producer_number, std::uint64_t request, wire::Duration remaining = {},
            std::uint64_t latest = 0, wire::Priority priority = wire::Priority::normal) {
    say(producer(producer_number),
        wire::Submit{
            {request}, remaining, wire::Payload(wire::Payload::Bytes(request)), priority, latest});
  }
  void later(wire::Duration d) { advance(now - at(0ms) + d); }
  // The s-CNN answers what it has been given, `d` from now; returns which request that was.
  std::uint64_t answer(wire::Duration d = 100ms) {
    const auto given = the<wire::Assign>(worker(1));
    later(d);
    settle(given.batch, given.slot);
    ready(worker(1), given.sequence.value);
    return given.image.size();
  }
  // Answers these many requests of the line, and returns which they were.
  std::vector<std::uint64_t> answer_all(int count, wire::Duration each = 100ms) {
    std::vector<std::uint64_t> requests;
    for (int i = 0; i < count; ++i) requests.push_back(answer(each));
    return requests;
  }
  // Requests 1 to 3, of which the first is at the s-CNN: one more is overload.
  void fill() {
    for (std::uint64_t request = 1; request <= 3; ++request) send(1, request);
    EXPECT_EQ(counter("overloaded"), 0u);
  }
  static std::vector<std::uint64_t> requests_of(const std::vector<wire::Assign>& tasks) {
    std::vector<std::uint64_t> requests;
    for (const wire::Assign& task : tasks) requests.push_back(task.image.size());
    return requests;
  }
};

}  // namespace broker
