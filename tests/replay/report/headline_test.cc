#include "replay/report/headline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace replay::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PolicyRun policy(const std::string& name, double p99_s, double extra_work = 0) {
  PolicyRun run;
  run.name = name;
  run.per_batch = {.count = 100, .p50_s = 0.2, .p95_s = 0.22, .p99_s = p99_s};
  run.extra_work = extra_work;
  return run;
}

LoadPoint point(const std::string& policy, std::size_t collages, double rate, double answered) {
  return {.policy = policy, .collages = collages, .per_second = rate, .answered = answered};
}

std::vector<std::string> labels(const Headline& headline) {
  std::vector<std::string> out;
  for (const Bar& bar : headline.bars) out.push_back(bar.label + (bar.ours ? "!" : ""));
  return out;
}

TEST(Headline, ComparesTheCollageWithTheBaselines) {
  Summary summary;
  summary.mode = "live";
  summary.policies = {policy("none", 0.769), policy("hedge", 0.426, 0.05),
                      policy("collage-hedge", 0.25), policy("collage", 0.242, 0.102)};
  const Headline said = headline(summary);
  EXPECT_EQ(said.sentence,
            "Policy collage answers 99 % of batches within 242 ms, 0.57 of hedge's 426 ms and 0.31 "
            "of none's 769 ms, for 10.2 % extra work.");
  EXPECT_EQ(said.measure, "p99 of a batch");
  EXPECT_THAT(said.bars, ElementsAre(Bar{"none", 1, "769 ms", false},
                                     Bar{"hedge", 0.426 / 0.769, "426 ms", false},
                                     Bar{"collage", 0.242 / 0.769, "242 ms", true}));
}

TEST(Headline, TellsTheAccuracyIfItIsKnown) {
  Summary summary;
  summary.mode = "live";
  summary.policies = {policy("none", 0.5), policy("collage", 0.25)};
  for (PolicyRun& run : summary.policies) {
    run.judged = true;
    run.single = 900;
  }
  summary.policies[0].accuracy = 0.9436;
  summary.policies[1].accuracy = 0.9437;
  EXPECT_THAT(headline(summary).sentence,
              HasSubstr(" and with 94.37 % right answers (94.36 % without)."));
}

TEST(Headline, SaysThatASimulationIsOne) {
  Summary summary;
  summary.mode = "sim";
  summary.policies = {policy("none", 0.2), policy("collage", 0.25)};
  EXPECT_EQ(headline(summary).sentence,
            "In virtual time, policy collage answers 99 % of batches within 250 ms, 1.25 times "
            "none's 200 ms, for 0.0 % extra work.");
}

TEST(Headline, OfOnePolicyShowsThreeQuantiles) {
  Summary summary;
  summary.mode = "deployed";
  summary.policies = {policy("none", 0.5)};
  summary.policies[0].per_request = {.count = 900, .p50_s = 0.1, .p95_s = 0.2, .p99_s = 0.4};
  summary.policies[0].per_batch = {};  // An open loop.
  const Headline said = headline(summary);
  EXPECT_EQ(said.sentence,
            "Policy none answers 99 % of images within 400 ms, for 0.0 % extra work.");
  EXPECT_EQ(said.measure, "Latency of an image");
  EXPECT_THAT(labels(said), ElementsAre("p50", "p95", "p99!"));
}

// A run of an open loop: `answered` of 6,090 images, 99 % of these within `p99_s`.
PolicyRun open_loop(const std::string& name, std::uint64_t answered, double p99_s) {
  PolicyRun run;
  run.name = name;
  run.per_request = {.count = answered, .p50_s = 0.1, .p95_s = 0.2, .p99_s = p99_s};
  run.single = answered;
  run.unanswered = 6090 - answered;
  return run;
}

TEST(Headline, OfAnOpenLoopWithRefusalsTellsHowManyImagesAreAnswered) {
  Summary summary;
  summary.mode = "live";
  summary.policies = {open_loop("none", 2690, 0.35)};
  const Headline said = headline(summary);
  EXPECT_EQ(said.sentence,
            "Policy none answers 44.17 % of images, 99 % of these within 350 ms, for 0.0 % extra "
            "work.");
  EXPECT_EQ(said.measure, "Latency of an answered image");
}

TEST(Headline, TellsHowManyImagesThoseAnswerWithWhichItCompares) {
  Summary summary;
  summary.mode = "live";
  summary.policies = {open_loop("none", 2690, 0.35), open_loop("brownout", 6090, 0.7)};
  const Headline said = headline(summary);
  EXPECT_EQ(said.sentence,
            "Policy brownout answers 99 % of images within 700 ms, 2.00 times none's 350 ms "
            "(44.17 % answered), for 0.0 % extra work.");
  EXPECT_EQ(said.measure, "p99 of an answered image");
}

TEST(Headline, OfAPolicyThatAnswersNothingHasNoLatency) {
  Summary summary;
  summary.mode = "live";
  summary.policies = {open_loop("none", 6090, 0.35), open_loop("collage", 0, 0)};
  for (PolicyRun& run : summary.policies) run.judged = true;
  EXPECT_EQ(headline(summary).sentence, "Policy collage answers no image, for 0.0 % extra work.");
}

TEST(Headline, ABatchWithAMissingImageIsEndedAndNotAnswered) {
  Summary summary;
  summary.mode = "live";
  summary.policies = {policy("none", 5)};
  summary.policies[0].single = 899;
  summary.policies[0].unanswered = 1;
  EXPECT_EQ(headline(summary).sentence,
            "Policy none answers 99.88 % of images and ends 99 % of batches within 5000 ms, for "
            "0.0 % extra work.");
}

TEST(Headline, OfAComparisonTellsWhichRunAnswersOnlyAPart) {
  Summary summary;
  summary.mode = "compare";
  summary.policies = {open_loop("none, a-live", 2690, 0.35), open_loop("none, b-live", 6090, 0.4)};
  EXPECT_EQ(headline(summary).sentence,
            "Policy none gives 99 % of its answers within 350 ms in a-live (44.17 % answered) and "
            "400 ms in b-live.");
}

TEST(Headline, OfASweepTellsTheHighestLoad) {
  Summary summary;
  summary.mode = "live";
  summary.load = {point("none", 0, 60, 0.97),    point("none", 0, 120, 0.48),
                  point("brownout", 1, 60, 1),   point("brownout", 1, 120, 0.92),
                  point("brownout", 2, 120, 1),  point("refuse", 1, 120, 0.5),
                  point("collage", 1, 120, 0.49)};
  const Headline said = headline(summary);
  EXPECT_EQ(said.sentence,
            "Of 120 images a second, brownout (2) answers 100 %; none 48 % and refuse (1) 50 %.");
  summary.mode = "sim";
  EXPECT_THAT(headline(summary).sentence, testing::StartsWith("In virtual time, of 120 images"));
  EXPECT_EQ(said.bars.front(), (Bar{"none", 0.48, "48 %", false}));
  EXPECT_THAT(labels(said), ElementsAre("none", "refuse (1)", "brownout (2)!"));
}

TEST(Headline, OfAComparisonShowsThePolicyThatTheRunsShare) {
  Summary summary;
  summary.mode = "compare";
  summary.policies = {policy("none, a-live", 0.8), policy("collage, a-live", 0.24),
                      policy("collage, b-live", 0.48)};
  const Headline said = headline(summary);
  EXPECT_EQ(said.sentence,
            "Policy collage answers 99 % of batches within 240 ms in a-live and 480 ms in b-live.");
  EXPECT_THAT(said.bars,
              ElementsAre(Bar{"a-live", 0.5, "240 ms", true}, Bar{"b-live", 1, "480 ms", true}));
}

TEST(Headline, OfNothingIsEmpty) {
  EXPECT_EQ(headline({}).sentence, "");
  EXPECT_THAT(headline({}).bars, IsEmpty());
}

}  // namespace
}  // namespace replay::report
