#include "producer/push/pusher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <utility>
#include <vector>

#include "tests/values.h"

namespace producer {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::Duration;
using wire::Instant;

Item picture(std::string file) {
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

TEST_F(PusherTest, InOrderResultsAreReportedAsTheSourceGaveThem) {
  in_order = true;
  make(0);
  images(3);
  welcome(4);
  answer(3);
  answer(2);
  EXPECT_THAT(lines(), IsEmpty());
  answer(1);
  EXPECT_THAT(lines(), ElementsAre("f1", "f2", "f3"));
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, InOrderWhatCannotBeReadTakesItsTurnToo) {
  in_order = true;
  make(0);
  images(2);
  items.insert(items.begin() + 1, {.kind = Item::Kind::unreadable, .file = "bad", .error = "gone"});
  items.push_back({.kind = Item::Kind::unreadable, .file = "worse", .error = "gone"});
  welcome(4);
  answer(2);
  EXPECT_THAT(lines(), IsEmpty());
  answer(1);
  EXPECT_THAT(lines(), ElementsAre("f1", "bad", "f2", "worse"));
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, InOrderOnlySoManyUnreadableFilesWait) {
  in_order = true;
  make(0);
  images(1);
  for (int i = 0; i < 3000; ++i) items.push_back({.kind = Item::Kind::unreadable, .file = "bad"});
  welcome(4);
  advance(500ms);
  EXPECT_LT(asked, 1100);
  answer(1);
  advance(900ms);
  EXPECT_EQ(lines().size(), 3001u);
}

TEST_F(PusherTest, ImagesHaveThePriorityOfThePush) {
  priority = wire::Priority::low;
  make(0);
  images(1);
  welcome(4);
  EXPECT_EQ(last_submit.priority, wire::Priority::low);
  EXPECT_EQ(last_submit.latest, 0u);
}

TEST_F(PusherTest, WithLatestAnImageSupersedesThoseThatWait) {
  latest = true;
  make(10);
  images(4);
  welcome(1);
  advance(300ms);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_NE(last_submit.latest, 0u);
  EXPECT_THAT(lines(), ElementsAre("f2", "f3"));
  EXPECT_EQ(last.result.status, wire::ResultStatus::superseded);
  EXPECT_EQ(pusher->tally().superseded, 2u);
  answer(1);
  EXPECT_THAT(sent(), ElementsAre(4));
  answer(4);
  EXPECT_THAT(lines(), ElementsAre("f1", "f4"));
  EXPECT_EQ(pusher->tally().brownout, 0u);
  advance(400ms);
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, CountsAnswersInABrownout) {
  make(0);
  images(1);
  welcome(4);
  wire::Result result;
  result.request = {1};
  result.status = wire::ResultStatus::answered;
  result.source = wire::Source::collage;
  result.brownout = true;
  say(result);
  EXPECT_EQ(pusher->tally().collage, 1u);
  EXPECT_EQ(pusher->tally().brownout, 1u);
}

TEST_F(PusherTest, ACorrectionIsALineMore) {
  corrections = true;
  make(0);
  images(2);
  welcome(4);
  answer(1, wire::Source::collage);
  answer(2);
  EXPECT_THAT(lines(), ElementsAre("f1", "f2"));
  EXPECT_FALSE(finished);
  correct(1);
  EXPECT_THAT(lines(), ElementsAre("f1"));
  EXPECT_EQ(last.kind, Line::Kind::corrected);
  EXPECT_EQ(last.result.predictions.at(0).name, "cat");
  EXPECT_EQ(last.result.source, wire::Source::single);
  EXPECT_EQ(pusher->tally().corrected, 1u);
  EXPECT_EQ(pusher->tally().reported, 2u);
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, ItWaitsForCorrectionsOnlyAsLongAsTheyMayCome) {
  corrections = true;
  make(0);
  images(1);
  welcome(4);
  answer(1, wire::Source::collage);
  advance(2499ms);
  EXPECT_FALSE(finished);
  advance(2500ms);
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, WithoutARateImagesGoAsCreditAllows) {
  make(0);
  images(4);
  welcome(2);
  EXPECT_THAT(sent(), ElementsAre(1, 2));
  EXPECT_EQ(asked, 2);  // The others have not been read yet.
  answer(2);
  EXPECT_THAT(sent(), ElementsAre(3));
  EXPECT_THAT(lines(), ElementsAre("f2"));
}

TEST_F(PusherTest, ItFinishesWhenAllIsReported) {
  make(0);
  images(2);
  welcome(4);
  answer(1, wire::Source::collage);
  EXPECT_FALSE(finished);
  answer(2, wire::Source::hedge);
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->tally().answered, 2u);
  EXPECT_EQ(pusher->tally().collage, 1u);
  EXPECT_EQ(pusher->tally().hedge, 1u);
  EXPECT_EQ(pusher->tally().taken, 2u);
  EXPECT_EQ(pusher->tally().reported, 2u);
}

TEST_F(PusherTest, AnEmptySourceFinishesAtOnce) {
  make(0);
  welcome(4);
  EXPECT_TRUE(finished);
  EXPECT_TRUE(pusher->reached());
}

TEST_F(PusherTest, AtARateImagesGoWhenTheyAreDueWhateverIsAnswered) {
  make(10);
  images(3);
  welcome(100);
  EXPECT_THAT(sent(), ElementsAre(1));
  advance(99ms);
  EXPECT_THAT(sent(), IsEmpty());
  advance(100ms);
  EXPECT_THAT(sent(), ElementsAre(2));
  advance(200ms);
  EXPECT_THAT(sent(), ElementsAre(3));
}

TEST_F(PusherTest, LatencyCountsFromWhenTheImageWasDue) {
  make(10, 1);
  images(2);
  welcome(100);
  advance(400ms);  // The second is due at 100 ms, but the client holds one at most.
  answer(1);
  EXPECT_THAT(lines(), ElementsAre("f1"));
  EXPECT_EQ(last.latency, 400ms);
  advance(450ms);
  answer(2);
  EXPECT_THAT(lines(), ElementsAre("f2"));
  EXPECT_EQ(last.latency, 350ms);
}

// Reading takes time that `now` does not show.
TEST_F(PusherTest, FilesAreReadAndImagesSubmittedAtDifferentInstants) {
  make(0);
  images(40);
  welcome(40);
  EXPECT_EQ(sent().size(), 40u);
  EXPECT_LT(read_at, submitted_at);
  EXPECT_EQ(pusher->tally().taken, 40u);
}

TEST_F(PusherTest, OnlySoMuchIsReadAhead) {
  make(1000, 5000, 10s);
  for (int i = 0; i < 3000; ++i) {
    items.push_back({.kind = Item::Kind::image,
                     .file = "f",
                     .image = wire::Payload(wire::Payload::Bytes(i < 500 ? 1 : 1 << 19))});
  }
  welcome(5000);
  EXPECT_LE(asked, 1 + 32);
  advance(600ms);
  // The client refuses the large ones at once.
  EXPECT_GT(lines().size(), 50u);
  EXPECT_LE(pusher->tally().taken - sent().size() - pusher->tally().refused, 2u)
      << "a mebibyte is in memory at most";
}

TEST_F(PusherTest, AtARateTheDeadlineCountsFromWhenTheImageWasDue) {
  image_deadline = 1s;
  make(10, 1, 9s);
  images(3);
  welcome(100);
  EXPECT_EQ(last_submit.remaining, 1s - (submitted_at - Instant{}));
  advance(400ms);  // The second is due at 100 ms, but the client holds one at most.
  answer(1);
  EXPECT_EQ(last_submit.request.value, 2u);
  EXPECT_EQ(last_submit.remaining, 700ms);
}

TEST_F(PusherTest, AnImageWhoseDeadlineIsOverBeforeThereIsRoomIsMissing) {
  image_deadline = 1s;
  make(10, 1, 9s);
  images(2);
  welcome(100);
  advance(1499ms);
  EXPECT_THAT(lines(), IsEmpty());
  advance(1600ms);  // The first is given up, and the second was due at 100 ms.
  EXPECT_THAT(lines(), ElementsAre("f1", "f2"));
  EXPECT_EQ(last.result.status, wire::ResultStatus::missing);
  EXPECT_EQ(last.result.reason, wire::Reason::no_credit);
  EXPECT_THAT(sent(), ElementsAre(1));
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, ADeadlineThatThePipelineDoesNotGrantIsSaid) {
  image_deadline = 20s;
  make(0);
  welcome(1);
  EXPECT_THAT(logs, ElementsAre(testing::HasSubstr("10000 ms at most")));
  logs.clear();
  image_deadline = 10s;
  make(0);
  finished = false;
  welcome(1);
  EXPECT_THAT(logs, IsEmpty());
}

TEST_F(PusherTest, WhatHasNoAnswerIsCountedByItsCause) {
  make(0);
  images(2);
  items.push_back({.kind = Item::Kind::unreadable, .file = "bad", .error = "gone"});
  items.push_back({.kind = Item::Kind::too_large, .file = "big"});
  welcome(4);
  answer(1);
  advance(1500ms);
  EXPECT_THAT(pusher->tally().causes, ElementsAre(testing::Pair("missing (no_broker)", 1),
                                                  testing::Pair("refused (image_too_large)", 1),
                                                  testing::Pair("unreadable (gone)", 1)));
  EXPECT_EQ(pusher->tally().latencies.count(), 1u);
}

TEST_F(PusherTest, UnreadableAndLargeFilesAreReportedAndTheOthersGoOn) {
  make(0);
  items.push_back({.kind = Item::Kind::unreadable, .file = "bad", .error = "gone"});
  items.push_back({.kind = Item::Kind::too_large, .file = "big"});
  images(1);
  welcome(1);
  EXPECT_THAT(lines(), ElementsAre("bad", "big"));
  EXPECT_EQ(last.result.reason, wire::Reason::image_too_large);
  EXPECT_THAT(sent(), ElementsAre(1));
  answer(1);
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->tally().unreadable, 1u);
  EXPECT_EQ(pusher->tally().refused, 1u);
  EXPECT_EQ(pusher->tally().answered, 1u);
}

TEST_F(PusherTest, ASourceThatHasNothingYetIsAskedAgain) {
  make(0);
  items.push_back({.kind = Item::Kind::later});
  images(1);
  welcome(1);
  EXPECT_THAT(sent(), IsEmpty());
  advance(10ms);
  EXPECT_THAT(sent(), ElementsAre(1));
}

TEST_F(PusherTest, ManyUnreadableFilesDoNotHoldUpATurn) {
  make(0);
  for (int i = 0; i < 1000; ++i) items.push_back({.kind = Item::Kind::unreadable, .file = "x"});
  take(pusher->on_message(
      {}, wire::Welcome{.epoch = {}, .heartbeat = 10s, .credit = 1, .image_bytes_max = 100}, now));
  EXPECT_LE(asked, 32);
  advance(0ms);
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->tally().unreadable, 1000u);
}

TEST_F(PusherTest, ABrokerThatIsNotReachedInTimeEndsIt) {
  make(0);
  images(1);
  advance(2999ms);
  EXPECT_FALSE(finished);
  advance(3s);
  EXPECT_TRUE(finished);
  EXPECT_FALSE(pusher->reached());
  EXPECT_EQ(asked, 0);
}

TEST_F(PusherTest, ABrokerOfAnotherProtocolEndsItAtOnce) {
  make(0);
  images(1);
  advance(0ms);
  say(wire::Refuse{.reason = wire::Reason::wrong_protocol});
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->refusal(), wire::Reason::wrong_protocol);
}

TEST_F(PusherTest, ADrainReadsNothingMoreAndWaitsForWhatIsOpen) {
  make(0);
  images(5);
  welcome(2);
  say(wire::Drain{});
  answer(1);
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(finished);
  answer(2);
  EXPECT_TRUE(finished);
}

TEST_F(PusherTest, WhatIsStillOpenAtTheEndOfADrainIsReportedAsInterrupted) {
  make(2, 1, 10s);
  images(3);
  welcome(2);
  advance(500ms);  // The second is due and held.
  say(wire::Drain{});
  EXPECT_THAT(lines(), ElementsAre("f2"));
  EXPECT_EQ(last.kind, Line::Kind::interrupted);
  advance(2499ms);
  EXPECT_FALSE(finished);
  advance(2500ms);
  EXPECT_TRUE(finished);
  EXPECT_THAT(lines(), ElementsAre("f1"));
  EXPECT_EQ(last.kind, Line::Kind::interrupted);
  EXPECT_EQ(pusher->tally().interrupted, 2u);
  EXPECT_EQ(pusher->tally().taken, pusher->tally().reported);
  EXPECT_TRUE(pusher->stopped());
}

TEST_F(PusherTest, AnAnswerAfterTheEndIsNotReportedTwice) {
  make(0, 100, 10s);
  images(1);
  welcome(1);
  say(wire::Drain{});
  advance(2s);
  EXPECT_THAT(lines(), ElementsAre("f1"));
  answer(1);
  EXPECT_THAT(lines(), IsEmpty());
  EXPECT_EQ(pusher->tally().reported, 1u);
}

TEST_F(PusherTest, MissingImagesAreCounted) {
  make(0);
  images(1);
  welcome(1);
  advance(1500ms);
  EXPECT_TRUE(finished);
  EXPECT_EQ(pusher->tally().missing, 1u);
  EXPECT_THAT(lines(), ElementsAre("f1"));
}

}  // namespace
}  // namespace producer
