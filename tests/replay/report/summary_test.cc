#include "replay/report/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "replay/report/page.h"

namespace {

using replay::report::PolicyRun;
using replay::report::Summary;
using testing::HasSubstr;
using testing::Not;

Summary demo_summary() {
  Summary summary;
  summary.scenario = "demo";
  summary.mode = "live";
  summary.seed = 1;
  summary.commit = "0123456789ab";
  summary.machine = "a </script> machine";
  for (const char* name : {"none", "hedge", "collage"}) {
    PolicyRun run;
    run.name = name;
    run.judged = true;
    run.batch_s = {0.2, 0.21, 0.7};
    run.request_s = {0.1, 0.11, 0.2, 0.21, 0.7, 0.15};
    run.per_batch = replay::report::distribution(run.batch_s, 1);
    run.per_request = replay::report::distribution(run.request_s, 1);
    run.sim_p99_s = 0.766;
    run.accuracy = 0.9375;
    run.single = 5;
    run.collage = 1;
    run.collage_share = 0.05;
    run.collage_accuracy = 1;
    run.extra_work = 0.111;
    summary.policies.push_back(run);
  }
  return summary;
}

TEST(Summary, JsonHasTheSchemasKeys) {
  const auto json = nlohmann::json::parse(replay::report::to_json(demo_summary()));
  EXPECT_EQ(json.at("scenario"), "demo");
  EXPECT_EQ(json.at("mode"), "live");
  EXPECT_EQ(json.at("seed"), 1);
  EXPECT_EQ(json.at("commit"), "0123456789ab");
  ASSERT_EQ(json.at("policies").size(), 3u);
  const auto& run = json.at("policies").at(2);
  EXPECT_EQ(run.at("name"), "collage");
  for (const char* scope : {"per_batch", "per_request"}) {
    for (const char* key : {"count", "mean_s", "sd_s", "p50_s", "p95_s", "p99_s", "p999_s"}) {
      EXPECT_TRUE(run.at(scope).contains(key)) << scope << "." << key;
    }
    EXPECT_EQ(run.at(scope).at("p99_ci_s").size(), 2u);
  }
  for (const char* key : {"images", "answered", "sim_p99_s", "accuracy", "collage_share",
                          "collage_accuracy", "extra_work", "violations", "seconds"}) {
    EXPECT_TRUE(run.contains(key)) << key;
  }
}

TEST(Summary, TheTableFitsEightyColumnsAndShowsMilliseconds) {
  const std::string table = replay::report::to_table(demo_summary());
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_THAT(table, HasSubstr("766"));
  EXPECT_THAT(table, HasSubstr("93.75 %"));
  EXPECT_THAT(table, HasSubstr("11.1 %"));
}

TEST(Summary, CsvHasARowForBatchesAndOneForImagesOfEachPolicy) {
  const std::string csv = replay::report::to_csv(demo_summary());
  std::istringstream lines(csv);
  std::string header, line;
  std::getline(lines, header);
  std::size_t rows = 0;
  while (std::getline(lines, line)) {
    EXPECT_EQ(std::ranges::count(line, ','), std::ranges::count(header, ',')) << line;
    rows += 1;
  }
  EXPECT_EQ(rows, 6u);
  EXPECT_THAT(csv, HasSubstr("collage,batch,3,0.370000,"));
  EXPECT_THAT(csv, HasSubstr(",0.937500,0.050000,0.111000,0,1.000000\n"));
}

TEST(Summary, SaysOfWhichImagesTheTimesAreWhereNotAllAreAnswered) {
  Summary summary = demo_summary();
  EXPECT_THAT(replay::report::to_table(summary), Not(HasSubstr("of the images answered")));
  summary.policies[0].unanswered = 4;  // Beside six answers.
  const std::string table = replay::report::to_table(summary);
  EXPECT_THAT(table, HasSubstr("\nnone: 60.00 % of the images answered; times of images are of "
                               "these\n"));
  EXPECT_THAT(table, Not(HasSubstr("hedge: ")));
  const auto json = nlohmann::json::parse(replay::report::to_json(summary));
  EXPECT_EQ(json.at("policies").at(0).at("images"), 10);
  EXPECT_DOUBLE_EQ(json.at("policies").at(0).at("answered"), 0.6);
  EXPECT_THAT(replay::report::to_csv(summary), HasSubstr(",0,0.600000\n"));
}

TEST(Summary, AnAnsweredShareIsRoundedDown) {
  PolicyRun run;
  EXPECT_EQ(answered_share(run), "100.00 %");
  run.single = 9'999'999;
  run.unanswered = 1;
  EXPECT_EQ(answered_share(run), "99.99 %");
  run.single = 57;
  run.unanswered = 43;
  EXPECT_EQ(answered_share(run), "57.00 %");
}

TEST(Summary, TheSimulatedFiguresStandBesideThoseOfTheSamePolicy) {
  Summary live = demo_summary();
  Summary simulated = demo_summary();
  simulated.policies.erase(simulated.policies.begin());
  for (PolicyRun& run : simulated.policies) run.violations = 2;
  simulated.policies[0].batch_s = {0.3};
  simulated.policies[0].per_batch = replay::report::distribution({0.3}, 1);
  live.policies[0].sim_p99_s = 0;
  attach_simulated(live, simulated);
  EXPECT_EQ(live.policies[0].sim_p99_s, 0);
  EXPECT_DOUBLE_EQ(live.policies[1].sim_p99_s, 0.3);
  EXPECT_EQ(live.policies[1].simulated_batch_s.size(), 1u);
  EXPECT_EQ(live.policies[1].violations, 0u);
}

TEST(Page, IsSelfContainedAndKeepsDataFromEndingItsScript) {
  const std::string page = replay::report::to_html(demo_summary());
  EXPECT_THAT(page, HasSubstr("Chart.js v3"));
  EXPECT_THAT(page, HasSubstr("a <\\/script> machine"));
  EXPECT_THAT(page, Not(HasSubstr("@DATA@")));
  EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
  EXPECT_THAT(page, Not(HasSubstr("href=\"http")));
}

}  // namespace
