#include "replay/load/load_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>

#include "tests/values.h"

namespace {

using namespace std::chrono_literals;
using replay::load::Arrivals;
using replay::load::LoadGenerator;
using testing::ElementsAre;

constexpr machine::Peer kBroker{LoadGenerator::kBroker, 0};
constexpr machine::Peer kSink{LoadGenerator::kSink, 0};

struct Heard {
  std::vector<replay::load::Answer> answers;
  std::vector<wire::Duration> batches;
  std::vector<std::size_t> marks;
};

LoadGenerator make(std::size_t warm_up, Heard& heard, Arrivals arrivals = {},
                   std::vector<wire::Duration> marks = {}) {
  LoadGenerator::Options options;
  options.marks = std::move(marks);
  options.arrivals = arrivals;
  options.images = 4;
  options.slots = 2;
  options.warm_up = warm_up;
  options.classifiers = 2;
  options.assemblers = 1;
  options.phase_max = 10s;
  options.probe_every = 2ms;
  producer::Policy policy;
  policy.producer = {1, 2};
  return LoadGenerator(
      options, policy,
      {.image =
           [](std::size_t i) {
             return wire::Payload(wire::Payload::Bytes{static_cast<std::uint8_t>(i)});
           },
       .on_answer = [&heard](const auto& answer) { heard.answers.push_back(answer); },
       .on_batch = [&heard](std::size_t, wire::Instant,
                            wire::Duration latency) { heard.batches.push_back(latency); },
       .on_begin = {},
       .on_mark = [&heard](std::size_t mark, wire::Instant) { heard.marks.push_back(mark); },
       .on_health = {},
       .may_become_ready = {}});
}

// A listener for answers alone, that sends empty images.
LoadGenerator::Listener hearing(std::function<void(const replay::load::Answer&)> on_answer) {
  return {.image = [](std::size_t) { return wire::Payload(); },
          .on_answer = std::move(on_answer),
          .on_batch = {},
          .on_begin = {},
          .on_mark = {},
          .on_health = {},
          .may_become_ready = {}};
}

// Images at random times, 10 a second by each producer, on a fleet of two s-CNN stages.
LoadGenerator::Options open_loop(std::size_t images) {
  LoadGenerator::Options options;
  options.arrivals = {.kind = Arrivals::Kind::poisson, .per_second = 10};
  options.images = images;
  options.warm_up = 0;
  options.classifiers = 2;
  options.phase_max = 10s;
  options.probe_every = 2ms;
  return options;
}

template <class T>
std::vector<T> of(const machine::Actions& actions) {
  std::vector<T> found;
  for (const machine::Outgoing& out : actions.messages) {
    if (const T* m = std::get_if<T>(&out.message)) found.push_back(*m);
  }
  return found;
}

wire::Status status(std::uint64_t classifiers, std::uint64_t outstanding) {
  return {{{"classifiers", classifiers},
           {"assemblers", 1},
           {"sinks", 1},
           {"requests_open", 0},
           {"tasks_outstanding", outstanding},
           {"collages_outstanding", 0}}};
}

wire::Result answer(wire::RequestId id) {
  wire::Result result;
  result.request = id;
  result.status = wire::ResultStatus::answered;
  result.source = wire::Source::single;
  result.predictions = {{"cat", {{0}, 1.0f}}};
  return result;
}

// Brings a generator to its first batch at `now`; returns its submits.
std::vector<wire::Submit> begin(LoadGenerator& generator, wire::Instant now) {
  (void)generator.on_timeout(now);
  (void)generator.on_message(kBroker, wire::Welcome{{7}, 500ms, 256, 1000, 5s}, now);
  (void)generator.on_message(kBroker, status(2, 0), now);
  return of<wire::Submit>(generator.on_message(kSink, status(2, 0), now));
}

TEST(LoadGenerator, WaitsUntilTheFleetIsReady) {
  Heard heard;
  LoadGenerator generator = make(0, heard);
  (void)generator.on_timeout(at(0ms));
  (void)generator.on_message(kBroker, wire::Welcome{{7}, 500ms, 256, 1000, 5s}, at(1ms));
  EXPECT_TRUE(of<wire::Submit>(generator.on_message(kBroker, status(1, 0), at(2ms))).empty());
  (void)generator.on_message(kBroker, status(2, 0), at(4ms));
  EXPECT_EQ(of<wire::Submit>(generator.on_message(kSink, status(2, 0), at(5ms))).size(), 2u);
}

TEST(LoadGenerator, SendsTheNextBatchOnlyWhenEveryStageIsIdle) {
  Heard heard;
  LoadGenerator generator = make(0, heard);
  const auto first = begin(generator, at(0ms));
  ASSERT_EQ(first.size(), 2u);
  (void)generator.on_message(kBroker, answer(first[0].request), at(100ms));
  const machine::Actions done = generator.on_message(kBroker, answer(first[1].request), at(150ms));
  EXPECT_EQ(of<wire::StatusRequest>(done).size(), 1u);
  EXPECT_TRUE(of<wire::Submit>(generator.on_message(kBroker, status(2, 1), at(151ms))).empty());
  EXPECT_EQ(of<wire::Submit>(generator.on_message(kBroker, status(2, 0), at(700ms))).size(), 2u);
  EXPECT_THAT(heard.batches, ElementsAre(wire::Duration(150ms)));
}

TEST(LoadGenerator, RecordsEachImageOnceWithItsOwnLatency) {
  Heard heard;
  LoadGenerator generator = make(0, heard);
  const auto first = begin(generator, at(0ms));
  (void)generator.on_message(kBroker, answer(first[1].request), at(100ms));
  (void)generator.on_message(kBroker, answer(first[0].request), at(150ms));
  ASSERT_EQ(heard.answers.size(), 2u);
  EXPECT_EQ(heard.answers[0].image, 1u);
  EXPECT_EQ(heard.answers[0].latency, wire::Duration(100ms));
  EXPECT_EQ(heard.answers[1].image, 0u);
}

TEST(LoadGenerator, WarmUpBatchesDoNotCount) {
  Heard heard;
  LoadGenerator generator = make(1, heard);
  const auto warm = begin(generator, at(0ms));
  for (const auto& submit : warm)
    (void)generator.on_message(kBroker, answer(submit.request), at(9ms));
  EXPECT_TRUE(heard.answers.empty());
  EXPECT_TRUE(heard.batches.empty());
  (void)generator.on_message(kBroker, status(2, 0), at(10ms));
  EXPECT_EQ(of<wire::Submit>(generator.on_message(kSink, status(2, 0), at(11ms))).size(), 2u);
}

TEST(LoadGenerator, ABusyFleetGetsTheNextBatchWithTheLastAnswer) {
  Heard heard;
  LoadGenerator generator = make(0, heard, {.kind = Arrivals::Kind::busy_batches});
  const auto first = begin(generator, at(0ms));
  (void)generator.on_message(kBroker, answer(first[0].request), at(100ms));
  const auto next = generator.on_message(kBroker, answer(first[1].request), at(150ms));
  EXPECT_EQ(of<wire::Submit>(next).size(), 2u);
}

TEST(LoadGenerator, AnOpenLoopCountsFromTheIntendedSend) {
  Heard heard;
  const auto gaps = std::make_shared<std::vector<double>>(1, 0.010);
  LoadGenerator generator = make(0, heard, {.kind = Arrivals::Kind::recorded, .gaps_s = gaps});
  const auto first = begin(generator, at(0ms));
  ASSERT_EQ(first.size(), 1u);
  // The generator is held up until 25 ms: two images are due by then, at 10 and at 20 ms.
  const auto late = of<wire::Submit>(generator.on_timeout(at(25ms)));
  ASSERT_EQ(late.size(), 2u);
  (void)generator.on_message(kBroker, answer(late[0].request), at(60ms));
  (void)generator.on_message(kBroker, answer(late[1].request), at(60ms));
  ASSERT_EQ(heard.answers.size(), 2u);
  EXPECT_EQ(heard.answers[0].latency, wire::Duration(50ms));
  EXPECT_EQ(heard.answers[1].latency, wire::Duration(40ms));
}

TEST(LoadGenerator, ReportsMarksWhenTheirTimeHasCome) {
  Heard heard;
  LoadGenerator generator = make(0, heard, {}, {5ms, 5ms, 40ms});
  const auto first = begin(generator, at(1s));
  EXPECT_EQ(generator.next_timeout(), at(1005ms));
  (void)generator.on_timeout(at(1004ms));
  EXPECT_TRUE(heard.marks.empty());
  (void)generator.on_timeout(at(1006ms));
  EXPECT_THAT(heard.marks, ElementsAre(0, 1));
  (void)generator.on_message(kBroker, answer(first[0].request), at(1041ms));
  EXPECT_THAT(heard.marks, ElementsAre(0, 1, 2));
}

TEST(LoadGenerator, GivesUpOnAFleetThatIsNeverReady) {
  Heard heard;
  LoadGenerator generator = make(0, heard);
  (void)generator.on_timeout(at(0ms));
  EXPECT_TRUE(generator.on_timeout(at(10s)).finished);
  EXPECT_FALSE(generator.completed());
}

// A generator whose fleet may take a minute to become ready, if `alive` is true.
LoadGenerator patient(const bool& alive) {
  LoadGenerator::Options options;
  options.images = 4;
  options.slots = 2;
  options.classifiers = 2;
  options.ready_max = 60s;
  options.phase_max = 10s;
  options.probe_every = 2ms;
  LoadGenerator::Listener listener;
  listener.image = [](std::size_t) { return wire::Payload(wire::Payload::Bytes{1}); };
  listener.may_become_ready = [&alive] { return alive; };
  return LoadGenerator(options, {.producer = {1, 2}}, std::move(listener));
}

TEST(LoadGenerator, WaitsMuchLongerForASlowFleetThanForAnAnswer) {
  const bool alive = true;
  LoadGenerator generator = patient(alive);
  (void)generator.on_timeout(at(0ms));
  EXPECT_FALSE(generator.on_timeout(at(59s)).finished);
  EXPECT_TRUE(generator.on_timeout(at(60s)).finished);
  EXPECT_FALSE(generator.completed());
}

TEST(LoadGenerator, GivesUpAtOnceOnAFleetThatCannotBecomeReady) {
  bool alive = true;
  LoadGenerator generator = patient(alive);
  EXPECT_FALSE(generator.on_timeout(at(0ms)).finished);
  EXPECT_FALSE(generator.on_timeout(at(2ms)).finished);
  alive = false;
  EXPECT_TRUE(generator.on_timeout(at(4ms)).finished);
  EXPECT_FALSE(generator.completed());
}

TEST(LoadGenerator, GivesUpOnAFleetThatStandsStill) {
  Heard heard;
  LoadGenerator generator = make(0, heard);
  const auto first = begin(generator, at(1s));
  for (const auto& submit : first)
    (void)generator.on_message(kBroker, answer(submit.request), at(2s));
  (void)generator.on_message(kBroker, status(2, 1), at(11s));
  EXPECT_FALSE(generator.on_timeout(at(11s)).finished);
  EXPECT_TRUE(generator.on_timeout(at(12s)).finished);
  EXPECT_FALSE(generator.completed());
}

TEST(LoadGenerator, FinishesWithBothCountersAfterTheLastBatch) {
  Heard heard;
  LoadGenerator generator = make(0, heard);
  auto submits = begin(generator, at(0ms));
  machine::Actions last;
  for (const wire::Duration t : {wire::Duration(10ms), wire::Duration(20ms)}) {
    for (const auto& s : submits) (void)generator.on_message(kBroker, answer(s.request), at(t));
    submits = of<wire::Submit>(generator.on_message(kBroker, status(2, 0), at(t + 1ms)));
  }
  EXPECT_FALSE(generator.completed());
  EXPECT_TRUE(generator.on_message(kSink, status(2, 0), at(30ms)).finished);
  EXPECT_TRUE(generator.completed());
}

TEST(LoadGenerator, AsksEverySinkAndAddsUpTheirFigures) {
  Heard heard;
  LoadGenerator::Options options = open_loop(1);
  options.more = {options.arrivals};
  options.sinks = 2;
  EXPECT_EQ(options.sink_link(0), LoadGenerator::kSink);
  const machine::Peer kOther{options.sink_link(1)}, kSecond{LoadGenerator::broker_link(1)};
  LoadGenerator generator(options, {.producer = {1, 2}},
                          hearing([&](const auto& a) { heard.answers.push_back(a); }));
  const auto inferences = [](std::uint64_t count) {
    return wire::Status{{{"collage_inferences", count}}};
  };
  (void)generator.on_timeout(at(0ms));
  for (const machine::Peer link : {kBroker, kSecond}) {
    (void)generator.on_message(link, wire::Welcome{{7}, 500ms, 256, 1000, 5s}, at(0ms));
  }
  wire::Status both = status(2, 0);
  (void)generator.on_message(kBroker, both, at(1ms));  // Of one sink alone it is not ready.
  EXPECT_TRUE(of<wire::StatusRequest>(generator.on_message(kSink, inferences(7), at(1ms))).empty());
  both.counters[2].value = 2;
  std::vector<std::uint32_t> asked;
  for (const auto& out : generator.on_message(kBroker, both, at(3ms)).messages) {
    asked.push_back(out.to.link);
  }
  EXPECT_THAT(asked, testing::IsSupersetOf({kSink.link, kOther.link}));
  (void)generator.on_message(kSink, inferences(10), at(4ms));
  (void)generator.on_message(kOther, inferences(20), at(4ms));
  auto submits = of<wire::Submit>(generator.on_timeout(at(5s)));
  ASSERT_EQ(submits.size(), 1u);
  (void)generator.on_message(kBroker, answer(submits[0].request), at(5001ms));
  (void)generator.on_message(kSecond, answer(submits[0].request), at(5001ms));
  (void)generator.on_message(kBroker, both, at(5002ms));
  (void)generator.on_message(kSink, inferences(11), at(5003ms));
  EXPECT_TRUE(generator.on_message(kOther, inferences(23), at(5003ms)).finished);
  EXPECT_EQ(generator.sink_rise("collage_inferences"), 4u);
  EXPECT_EQ(heard.answers.size(), 1u);
}

TEST(LoadGenerator, SendsAsSeveralProducersWithALinkEach) {
  LoadGenerator::Options options = open_loop(50);
  options.more = {{.kind = Arrivals::Kind::poisson, .per_second = 1000}};
  std::vector<std::size_t> senders;
  LoadGenerator generator(options, {.producer = {1, 2}},
                          hearing([&](const auto& a) { senders.push_back(a.producer); }));
  constexpr machine::Peer kSecond{LoadGenerator::broker_link(1), 0};
  (void)generator.on_timeout(at(0ms));
  const wire::Welcome welcome{{7}, 500ms, 256, 1000, 5s};
  (void)generator.on_message(kBroker, welcome, at(0ms));
  (void)generator.on_message(kBroker, status(2, 0), at(0ms));
  EXPECT_FALSE(generator.client(1).joined());
  (void)generator.on_message(kSecond, welcome, at(0ms));
  (void)generator.on_message(kBroker, status(2, 0), at(0ms));
  machine::Actions actions = generator.on_message(kSink, status(2, 0), at(0ms));
  actions.append(generator.on_timeout(at(500ms)));
  std::map<std::uint32_t, std::vector<wire::RequestId>> sent;
  for (const machine::Outgoing& out : actions.messages) {
    if (const auto* one = std::get_if<wire::Submit>(&out.message)) {
      sent[out.to.link].push_back(one->request);
    }
  }
  EXPECT_EQ(sent[LoadGenerator::kBroker].size() + sent[kSecond.link].size(), 50u);
  EXPECT_GT(sent[kSecond.link].size(), 40u);
  // Each client counts its own requests.
  EXPECT_EQ(sent[LoadGenerator::kBroker].front(), sent[kSecond.link].front());
  (void)generator.on_message(kSecond, answer(sent[kSecond.link].front()), at(500ms));
  (void)generator.on_message(kBroker, answer(sent[LoadGenerator::kBroker].front()), at(500ms));
  EXPECT_THAT(senders, ElementsAre(1u, 0u));
}

TEST(LoadGenerator, ARefusedImageIsNotSentAgainWhereRefusalsAreMeasured) {
  Heard heard;
  LoadGenerator::Options options = open_loop(1);
  options.retry_refused = false;
  LoadGenerator generator(options, {.producer = {1, 2}},
                          hearing([&](const auto& a) { heard.answers.push_back(a); }));
  const std::vector<wire::Submit> sent = begin(generator, at(0ms));
  ASSERT_EQ(sent.size(), 1u);
  wire::Result refused;
  refused.request = sent[0].request;
  refused.status = wire::ResultStatus::refused;
  refused.reason = wire::Reason::full;
  (void)generator.on_message(kBroker, refused, at(1ms));
  ASSERT_EQ(heard.answers.size(), 1u);
  EXPECT_EQ(heard.answers[0].result.status, wire::ResultStatus::refused);
}

}  // namespace
