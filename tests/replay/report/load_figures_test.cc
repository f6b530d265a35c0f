#include "replay/report/load_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>

#include "replay/report/load_recorder.h"
#include "replay/report/page.h"
#include "replay/report/run_file.h"
#include "replay/report/summary.h"

namespace replay::report {
namespace {

using namespace std::chrono_literals;
using load::Arrivals;
using testing::HasSubstr;
using testing::Not;

wire::Instant at(wire::Duration d) { return {d}; }

load::Answer answer(wire::ResultStatus status, wire::Duration sent, wire::Duration latency,
                    wire::Source source = wire::Source::single) {
  load::Answer answer;
  answer.at = at(sent + latency);
  answer.latency = latency;
  answer.result.status = status;
  answer.result.source = source;
  if (status == wire::ResultStatus::answered) {
    answer.result.predictions = {{"cat", {{0}, 1.0f}}};
  }
  return answer;
}

load::Point point(Arrivals arrivals = {.kind = Arrivals::Kind::poisson, .per_second = 80}) {
  load::Point point;
  point.policy = *load::named_policy_variant("collage-hedge");
  point.name = point.policy.name;
  point.scenario.arrivals = std::move(arrivals);
  return point;
}

TEST(LoadRecorder, SharesAreOfTheImagesOfferedAndTimesOfThoseAnswered) {
  LoadRecorder recorder(point(), 3, nullptr);
  recorder.answered(answer(wire::ResultStatus::answered, 0s, 100ms));
  recorder.answered(answer(wire::ResultStatus::answered, 0s, 300ms, wire::Source::collage));
  recorder.answered(answer(wire::ResultStatus::refused, 0s, 1ms));
  recorder.answered(answer(wire::ResultStatus::missing, 0s, 5s));
  const LoadPoint p =
      recorder.figures({.wasted = 400ms}, {.single_accuracy = 0.9, .collage_accuracy = 0.8});
  EXPECT_EQ(p.policy, "collage-hedge");
  EXPECT_EQ(p.collages, 3u);
  EXPECT_EQ(p.per_second, 80);
  EXPECT_EQ(p.offered, 4u);
  EXPECT_EQ(p.answered, 0.5);
  EXPECT_EQ(p.refused, 0.25);
  EXPECT_EQ(p.missing, 0.25);
  EXPECT_EQ(p.collage_share, 0.25);
  EXPECT_DOUBLE_EQ(p.mean_s, 0.2);
  EXPECT_DOUBLE_EQ(p.p99_s, 0.3);
  EXPECT_DOUBLE_EQ(p.wasted_s, 0.1);
  ASSERT_TRUE(p.accuracy.has_value());
  EXPECT_DOUBLE_EQ(*p.accuracy, 0.85);
}

TEST(LoadRecorder, WithoutAnswersEveryTimeIsZero) {
  LoadRecorder recorder(point(), 1, nullptr);
  recorder.answered(answer(wire::ResultStatus::refused, 0s, 1ms));
  const LoadPoint p = recorder.figures({}, {});
  EXPECT_EQ(p.refused, 1);
  EXPECT_EQ(p.mean_s, 0);
  EXPECT_EQ(p.p99_s, 0);
  EXPECT_FALSE(p.accuracy.has_value());
}

TEST(LoadRecorder, ASecondHasTheImagesThatWereToBeSentInItInEveryCycle) {
  LoadRecorder recorder(point({.kind = Arrivals::Kind::steps, .steps = {{10, 1s}, {50, 2s}}}), 1,
                        nullptr);
  recorder.begin(at(10s));
  recorder.answered(answer(wire::ResultStatus::answered, 10s, 1500ms));
  recorder.answered(answer(wire::ResultStatus::refused, 12999ms, 0s));
  recorder.answered(answer(wire::ResultStatus::answered, 13s, 200ms));  // The next cycle.
  const std::vector<SecondFigures> seconds = recorder.seconds();
  ASSERT_EQ(seconds.size(), 3u);
  EXPECT_EQ(seconds[0].answered, 2u);
  EXPECT_EQ(seconds[0].p99_s, 1.5);
  EXPECT_EQ(seconds[0].per_second, 10);
  EXPECT_EQ(seconds[1].offered, 0u);
  EXPECT_EQ(seconds[2].refused, 1u);
  EXPECT_EQ(seconds[2].per_second, 50);
}

TEST(LoadRecorder, TheProducersOfAGroupStandAloneAndTogether) {
  load::Point flood = point({});
  flood.scenario.producers = {{.name = "flood", .per_second = 100},
                              {.name = "polite", .count = 2, .per_second = 3}};
  LoadRecorder recorder(flood, 1, nullptr);
  for (const std::size_t producer : {0, 1, 1, 2}) {
    load::Answer one = answer(wire::ResultStatus::answered, 0s, 100ms * (producer + 1));
    one.producer = producer;
    recorder.answered(one);
  }
  const std::vector<ProducerFigures> producers = recorder.producers();
  ASSERT_EQ(producers.size(), 3u);
  EXPECT_EQ(producers[2].producer, "polite-1");
  EXPECT_EQ(producers[1].offered, 2u);
  EXPECT_EQ(producers[1].load, 106);
  const std::vector<ProducerFigures> groups = recorder.groups();
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[1].producer, "polite");
  EXPECT_EQ(groups[1].offered, 3u);
  EXPECT_DOUBLE_EQ(groups[1].p99_s, 0.3);
}

std::vector<SecondFigures> crowd(std::initializer_list<double> after_s) {
  const auto second = [](double at_s, double per_second, double p99_s) {
    return SecondFigures{.policy = "none",
                         .at_s = at_s,
                         .per_second = per_second,
                         .offered = 10,
                         .answered = 10,
                         .p99_s = p99_s};
  };
  std::vector<SecondFigures> seconds = {second(0, 4, 0.4), second(1, 4, 0.5), second(2, 40, 2)};
  for (const double p99_s : after_s) {
    seconds.push_back(second(static_cast<double>(seconds.size()), 4, p99_s));
  }
  return seconds;
}

TEST(Crowd, IsOverWithTheFirstSecondThatIsNotAboveTheHighestBefore) {
  const auto crowds = crowds_of(crowd({1.5, 0.6, 0.5, 0.9}));
  ASSERT_EQ(crowds.size(), 1u);
  EXPECT_EQ(crowds[0].before_s, 0.5);
  EXPECT_EQ(crowds[0].during_s, 2);
  EXPECT_EQ(crowds[0].after_s, 1.5);
  EXPECT_EQ(crowds[0].recovery_s, 2);
  EXPECT_EQ(crowds_of(crowd({0.4}))[0].recovery_s, 0);
  EXPECT_EQ(crowds_of(crowd({0.6}))[0].recovery_s, std::nullopt);
  EXPECT_TRUE(crowds_of({}).empty());
}

TEST(Crowd, IsNotOverWhileMoreIsRefusedThanBefore) {
  std::vector<SecondFigures> seconds = crowd({0.1, 0.4});
  seconds[3].answered = 9;
  EXPECT_EQ(crowds_of(seconds)[0].recovery_s, 1);
}

Summary sweep() {
  Summary summary;
  summary.scenario = "overload";
  summary.mode = "sim";
  summary.load = {{.policy = "none", .per_second = 29, .offered = 60'003, .answered = 1},
                  {.policy = "brownout",
                   .collages = 3,
                   .per_second = 480,
                   .offered = 60'003,
                   .answered = 0.5,
                   .refused = 0.5,
                   .mean_s = 0.3,
                   .p50_s = 0.25,
                   .p99_s = 0.9,
                   .collage_share = 0.4,
                   .wasted_s = 0.01,
                   .accuracy = 0.94}};
  summary.seconds = crowd({0.4});
  summary.groups = {
      {.policy = "none", .load = 30, .producer = "polite", .p99_s = 0.6},
      {.policy = "none", .alone = true, .load = 30, .producer = "polite", .p99_s = 0.5}};
  summary.producers = summary.groups;
  return summary;
}

TEST(Sweep, JsonHasAPointForEachPolicyNumberOfCollageStagesAndRate) {
  const auto json = nlohmann::json::parse(to_json(sweep()));
  EXPECT_TRUE(json.at("policies").empty());
  ASSERT_EQ(json.at("load").size(), 2u);
  const auto& point = json.at("load").at(1);
  EXPECT_EQ(point.at("policy"), "brownout");
  EXPECT_EQ(point.at("collages"), 3);
  EXPECT_EQ(point.at("per_second"), 480);
  EXPECT_EQ(point.at("offered"), 60'003);
  EXPECT_EQ(point.at("answered"), 0.5);
  for (const char* key : {"refused", "missing", "mean_s", "p50_s", "p99_s", "collage_share",
                          "wasted_s", "accuracy"}) {
    EXPECT_TRUE(point.contains(key)) << key;
  }
  for (const char* key : {"at_s", "offered", "answered", "refused", "missing", "p99_s"}) {
    EXPECT_TRUE(json.at("seconds").at(0).contains(key)) << key;
  }
  for (const char* key : {"producer", "p50_s", "p99_s", "answered", "refused"}) {
    EXPECT_TRUE(json.at("producers").at(0).contains(key)) << key;
  }
}

TEST(Sweep, AnotherRunsJsonHasNoneOfItsArrays) {
  const auto json = nlohmann::json::parse(to_json(Summary{}));
  for (const char* key : {"load", "seconds", "producers", "groups"}) {
    EXPECT_FALSE(json.contains(key)) << key;
  }
}

TEST(Sweep, ItsTablesFitEightyColumns) {
  const std::string table = to_table(sweep());
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_THAT(table, HasSubstr("brownout, 3"));
  EXPECT_THAT(table, HasSubstr("1.20"));  // p99 with the flood to p99 alone.
  EXPECT_THAT(table, Not(HasSubstr("extra work")));
}

TEST(Sweep, ItsPageHasItsPoints) {
  const std::string page = to_html(sweep());
  EXPECT_THAT(page, HasSubstr("\"per_second\":480"));
  EXPECT_THAT(page, HasSubstr("\"recovery_s\":0"));
}

}  // namespace
}  // namespace replay::report
