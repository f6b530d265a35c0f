// One client, a virtual clock, and helpers that play its broker.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "producer/client.h"
#include "tests/values.h"

namespace producer {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Duration;
using wire::Instant;
using wire::Reason;
using wire::RequestId;
using wire::ResultStatus;

inline constexpr machine::Peer kBroker{};

inline Policy policy() {
  Policy p;
  p.producer = {.high = 1, .low = 2};
  p.deadline = 2s;
  p.grace = 500ms;
  p.open_max = 8;
  p.hello_min = 100ms;
  p.hello_max = 700ms;
  p.hello_lost = p.hello_max;
  p.hello_jitter = 0;
  p.hello_unanswered_max = 3;
  p.retry_min = 20ms;
  p.resubmit_after = 0s;
  return p;
}

inline wire::Payload image(std::size_t size = 4) {
  return wire::Payload(wire::Payload::Bytes(size));
}

// One client; the test plays its broker.  `sent` returns the ids of the Submits, `cancels` those of
// the Cancels, and `hellos` the number of ProducerHellos since the last call.
class ClientTest : public testing::Test {
 protected:
  void make(Policy p) { client = std::make_unique<Client>(p); }

  void take(machine::Actions actions) {
    for (const machine::Outgoing& out : actions.messages) {
      EXPECT_EQ(out.to, kBroker);
      if (const auto* submit = std::get_if<wire::Submit>(&out.message)) {
        sent_.push_back(submit->request.value);
        last_submit = *submit;
      } else if (const auto* cancel = std::get_if<wire::Cancel>(&out.message)) {
        cancels_.push_back(cancel->request.value);
      } else {
        ASSERT_TRUE(std::holds_alternative<wire::ProducerHello>(out.message));
        last_hello = std::get<wire::ProducerHello>(out.message);
        ++hellos_;
      }
    }
    for (const machine::LogMessage& note : actions.logs) notes.push_back(note.text);
    finished = actions.finished;
  }
  // Runs every timer up to `t`, each at its own time.
  void advance(Duration t) {
    for (auto next = client->next_timeout(); next && *next <= at(t);
         next = client->next_timeout()) {
      now = std::max(now, *next);
      take(client->on_timeout(now));
      ASSERT_LT(++turns_, 10000) << "The client keeps itself busy.";
    }
    now = at(t);
  }
  void say(wire::Message message) { take(client->on_message(kBroker, std::move(message), now)); }
  void welcome(std::uint32_t credit = 4, wire::Epoch epoch = kEpoch) {
    say(wire::Welcome{.epoch = epoch,
                      .heartbeat = 1s,
                      .credit = credit,
                      .image_bytes_max = 100,
                      .deadline_max = 5s,
                      .correction_window = 2s});
  }
  void join(std::uint32_t credit = 4) {
    advance(now.since_start);
    welcome(credit);
    hellos();
  }
  Client::Submitted submit(std::uint64_t id, Duration deadline = 0s, std::size_t size = 4,
                           std::optional<StreamId> stream = std::nullopt) {
    const auto submitted =
        client->submit({id}, image(size), {.deadline = deadline, .stream = stream}, now);
    advance(now.since_start);
    return submitted;
  }
  // Submits a frame of the stream in which newer ones supersede.
  void submit_latest(std::uint64_t id, std::uint64_t latest,
                     std::optional<StreamId> stream = std::nullopt) {
    const auto submitted = client->submit({id}, image(), {.stream = stream, .latest = latest}, now);
    EXPECT_EQ(submitted, Client::Submitted::queued);
    advance(now.since_start);
  }
  // Cancels a request and runs what is due.
  bool cancel(std::uint64_t id) {
    const bool open = client->cancel({id}, now);
    advance(now.since_start);
    return open;
  }
  static wire::Result result(std::uint64_t id, ResultStatus status = ResultStatus::answered,
                             Reason reason = Reason::none, Duration retry_after = 0s) {
    wire::Result r;
    r.request = {id};
    r.status = status;
    r.reason = reason;
    r.latency = 30ms;
    r.retry_after = retry_after;
    return r;
  }
  void refuse(std::uint64_t id, Reason reason, Duration retry_after = 0s) {
    say(result(id, ResultStatus::refused, reason, retry_after));
  }
  std::vector<std::uint64_t> sent() { return std::exchange(sent_, {}); }
  std::vector<std::uint64_t> cancels() { return std::exchange(cancels_, {}); }
  int hellos() { return std::exchange(hellos_, 0); }
  // Returns the results since the last call: ids with their outcome.
  std::vector<std::pair<std::uint64_t, ResultStatus>> delivered() {
    std::vector<std::pair<std::uint64_t, ResultStatus>> out;
    for (Delivered& d : client->take_results()) {
      out.emplace_back(d.result.request.value, d.result.status);
      last = std::move(d);
    }
    return out;
  }
  static std::pair<std::uint64_t, ResultStatus> answered(std::uint64_t id) {
    return {id, ResultStatus::answered};
  }
  static std::pair<std::uint64_t, ResultStatus> missing(std::uint64_t id) {
    return {id, ResultStatus::missing};
  }
  static std::pair<std::uint64_t, ResultStatus> refused(std::uint64_t id) {
    return {id, ResultStatus::refused};
  }
  static std::pair<std::uint64_t, ResultStatus> cancelled(std::uint64_t id) {
    return {id, ResultStatus::cancelled};
  }
  static std::pair<std::uint64_t, ResultStatus> superseded(std::uint64_t id) {
    return {id, ResultStatus::superseded};
  }
  const Client::Counters& counters() const { return client->counters(); }

  std::unique_ptr<Client> client = std::make_unique<Client>(policy());
  Instant now;
  wire::Submit last_submit;
  wire::ProducerHello last_hello;
  Delivered last;
  std::vector<std::string> notes;
  bool finished = false;

 private:
  std::vector<std::uint64_t> sent_, cancels_;
  int hellos_ = 0;
  int turns_ = 0;
};

}  // namespace producer
