// A pusher whose source, broker and report the test plays.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "producer/push/pusher.h"
#include "tests/values.h"

namespace producer {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Duration;
using wire::Instant;

inline Item picture(std::string file) {
  return {.kind = Item::Kind::image,
          .file = std::move(file),
          .image = wire::Payload(wire::Payload::Bytes(4))};
}

class PusherTest : public testing::Test {
 protected:
  void make(double rate, std::size_t open_max = 100, Duration deadline = 1s) {
    producer::Policy client;
    client.hello_jitter = 0;
    client.deadline = deadline;
    client.open_max = open_max;
    client.corrections = corrections;
    pusher = std::make_unique<Pusher>(
        Pusher::Policy{.rate = rate,
                       .deadline = image_deadline,
                       .reach_max = 3s,
                       .drain_max = 2s,
                       .in_order = in_order,
                       .priority = priority,
                       .latest = latest},
        client, [this](std::uint64_t) { return next(); },
        [this](const Line& line) { lines_.push_back(line); });
  }
  Item next() {
    ++asked;
    read_at = now;
    if (items.empty()) return {};
    Item item = std::move(items.front());
    items.pop_front();
    return item;
  }
  void images(int count) {
    for (int i = 0; i < count; ++i) items.push_back(picture("f" + std::to_string(i + 1)));
  }
  void take(const machine::Actions& actions) {
    for (const machine::Outgoing& out : actions.messages) {
      if (const auto* submit = std::get_if<wire::Submit>(&out.message)) {
        sent_.push_back(submit->request.value);
        last_submit = *submit;
        submitted_at = now;
      }
    }
    for (const machine::LogMessage& log : actions.logs) logs.push_back(log.text);
    finished = actions.finished;
  }
  // Until `t`, and what follows within a microsecond: files are read and sent at different
  // instants.
  void advance(Duration t) {
    for (auto next = pusher->next_timeout(); next && *next <= at(t + 1us) && !finished;
         next = pusher->next_timeout()) {
      now = std::max(now, *next);
      take(pusher->on_timeout(now));
      ASSERT_LT(++turns_, 10000) << "The pusher keeps itself busy.";
    }
    now = std::max(now, at(t));
  }
  void say(wire::Message message) {
    take(pusher->on_message({}, std::move(message), now));
    advance(now.since_start);
  }
  void welcome(std::uint32_t credit) {
    advance(now.since_start);
    say(wire::Welcome{.epoch = {},
                      .heartbeat = 10s,
                      .credit = credit,
                      .image_bytes_max = 100,
                      .deadline_max = 10s,
                      .correction_window = 2s});
    advance(now.since_start);
  }
  void answer(std::uint64_t id, wire::Source source = wire::Source::single) {
    wire::Result result;
    result.request = {id};
    result.status = wire::ResultStatus::answered;
    result.source = source;
    result.predictions = {{"dog", {{1}, 0.5f}}};
    say(result);
  }
  void refuse(std::uint64_t id) {
    wire::Result result;
    result.request = {id};
    result.status = wire::ResultStatus::refused;
    result.reason = wire::Reason::overloaded;
    result.retry_after = 100ms;
    say(result);
  }
  void miss(std::uint64_t id, wire::Reason reason) {
    wire::Result result;
    result.request = {id};
    result.status = wire::ResultStatus::missing;
    result.reason = reason;
    say(result);
  }
  void correct(std::uint64_t id) {
    say(wire::Correction{{id}, wire::Source::single, 400ms, {{"cat", {{0}, 0.75f}}}, "s1"});
  }
  std::vector<std::uint64_t> sent() { return std::exchange(sent_, {}); }
  std::vector<std::string> lines() {
    std::vector<std::string> out;
    for (const Line& line : lines_) out.push_back(line.file);
    last = lines_.empty() ? Line{} : lines_.back();
    lines_.clear();
    return out;
  }

  std::unique_ptr<Pusher> pusher;
  std::deque<Item> items;
  Instant now, read_at, submitted_at;
  Duration image_deadline{};
  std::vector<std::string> logs;
  Line last;
  int asked = 0;
  bool finished = false;
  bool in_order = false, corrections = false, latest = false;
  wire::Priority priority = wire::Priority::normal;
  wire::Submit last_submit;

 private:
  std::vector<std::uint64_t> sent_;
  std::vector<Line> lines_;
  int turns_ = 0;
};

}  // namespace producer
