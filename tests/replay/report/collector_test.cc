#include "replay/report/collector.h"

#include <gmock/gmock.h>

#include <chrono>

namespace {

using namespace std::chrono_literals;
using replay::load::Answer;
using replay::report::Collector;
using replay::report::PolicyRun;
using testing::DoubleEq;
using testing::ElementsAre;

wire::Instant run_at(wire::Duration d) { return {1s + d}; }

// The s-CNN, the collage or a hedge says "cat" of an image.
Answer says_cat(std::size_t image, wire::Source source, wire::Duration latency) {
  Answer answer;
  answer.image = image;
  answer.at = run_at(latency);
  answer.latency = latency;
  answer.result.status = wire::ResultStatus::answered;
  answer.result.source = source;
  answer.result.latency = latency - 2ms;
  answer.result.predictions = {{"cat", {{3}, 0.9f}}};
  return answer;
}

Answer missing(std::size_t image) {
  Answer answer;
  answer.image = image;
  answer.at = run_at(5s);
  answer.latency = 5s;
  return answer;
}

Answer refused(std::size_t image) {
  Answer answer;
  answer.image = image;
  answer.at = run_at(1ms);
  answer.latency = 1ms;
  answer.result.status = wire::ResultStatus::refused;
  return answer;
}

// Images 0 and 2 show cats.
Collector collector() {
  static const std::string kCat = "cat", kDog = "dog";
  Collector made(
      "collage",
      [](std::size_t image) -> const std::string& { return image % 2 == 0 ? kCat : kDog; }, 4);
  made.begin(run_at(0s));
  return made;
}

TEST(Collector, CountsBySourceAndJudgesByTruth) {
  Collector c = collector();
  c.answered(says_cat(0, wire::Source::single, 100ms));
  c.answered(says_cat(1, wire::Source::collage, 200ms));
  c.answered(says_cat(2, wire::Source::collage, 200ms));
  c.answered(missing(3));
  c.batch(0, 5s);
  const PolicyRun run = c.run({.images = 4, .collage_inferences = 1, .hedges = 1}, 0.5, 1);
  EXPECT_EQ(run.name, "collage");
  EXPECT_EQ(run.single, 1u);
  EXPECT_EQ(run.collage, 2u);
  EXPECT_EQ(run.unanswered, 1u);
  EXPECT_DOUBLE_EQ(run.accuracy, 2.0 / 3);
  EXPECT_DOUBLE_EQ(run.collage_share, 0.5);
  EXPECT_DOUBLE_EQ(run.collage_accuracy, 0.5);
  EXPECT_DOUBLE_EQ(run.extra_work, (0.5 + 1) / 4);
  EXPECT_EQ(run.answer_source, "scc-");
  EXPECT_THAT(run.batch_s, ElementsAre(DoubleEq(5)));
  EXPECT_EQ(c.link(), wire::Duration(1ms));
}

TEST(Collector, ARefusedOrMissingImageIsNoAnswerThatTookSoLong) {
  Collector c = collector();
  for (std::size_t image = 0; image < 6; ++image) c.answered(refused(image));
  c.answered(missing(6));
  c.answered(says_cat(8, wire::Source::single, 100ms));
  const PolicyRun run = c.run({}, 1, 1);
  EXPECT_THAT(run.request_s, ElementsAre(DoubleEq(0.1)));
  EXPECT_EQ(run.per_request.count, 1u);
  EXPECT_DOUBLE_EQ(run.per_request.p50_s, 0.1);
  EXPECT_EQ(run.images(), 8u);
  EXPECT_DOUBLE_EQ(run.answered(), 1.0 / 8);
  EXPECT_DOUBLE_EQ(run.accuracy, 1);  // Of what was answered.
  EXPECT_EQ(run.answer_source, "-------s");
}

TEST(Collector, KeepsHealthTwiceASecondAtMost) {
  Collector c = collector();
  const replay::load::Counters broker = {{"classifiers", 9}, {"classifiers_on_probation", 1}};
  EXPECT_TRUE(c.health(c.sample(run_at(0s), broker)));
  EXPECT_FALSE(c.health(c.sample(run_at(400ms), broker)));
  EXPECT_TRUE(c.health(c.sample(run_at(500ms), broker)));
  c.fault(run_at(2s), "kill classifier-3");
  const PolicyRun run = c.run({}, 1, 1);
  ASSERT_EQ(run.health.size(), 2u);
  EXPECT_EQ(run.health[1].classifiers, 9u);
  EXPECT_EQ(run.health[1].on_probation, 1u);
  ASSERT_EQ(run.faults.size(), 1u);
  EXPECT_DOUBLE_EQ(run.faults[0].at_s, 2);
}

// Four images that s-CNNs answer, but for the last, by `last`.
void answer_batch(Collector& c, std::size_t batch, wire::Source last) {
  for (std::size_t slot = 0; slot < 4; ++slot) {
    c.answered(says_cat(4 * batch + slot, slot < 3 ? wire::Source::single : last, 100ms));
  }
  c.batch(batch, 100ms);
}

TEST(Collector, KeepsBatchesThatWereHelpedAsExamples) {
  Collector c = collector();
  answer_batch(c, 0, wire::Source::single);
  EXPECT_EQ(c.run({}, 1, 1).examples.size(), 1u);  // Better than none.
  answer_batch(c, 1, wire::Source::single);
  for (std::size_t batch = 2; batch < 8; ++batch) answer_batch(c, batch, wire::Source::collage);
  const PolicyRun run = c.run({}, 1, 1);
  ASSERT_EQ(run.examples.size(), 3u);
  EXPECT_EQ(run.examples[0].batch, 2u);
  ASSERT_EQ(run.examples[0].slots.size(), 4u);
  const replay::report::ExampleSlot& slot = run.examples[0].slots[3];
  EXPECT_EQ(slot.image, 11u);
  EXPECT_EQ(slot.source, "collage");
  EXPECT_EQ(slot.answer, "cat");
  EXPECT_EQ(slot.truth, "dog");
  EXPECT_DOUBLE_EQ(slot.latency_s, 0.1);
}

TEST(Collector, TokensAreNotJudgedAndGiveNoExamples) {
  Collector c("none", nullptr, 4);
  answer_batch(c, 0, wire::Source::single);
  const PolicyRun run = c.run({}, 1, 1);
  EXPECT_FALSE(run.judged);
  EXPECT_EQ(run.accuracy, 0);
  EXPECT_TRUE(run.examples.empty());
}

}  // namespace
