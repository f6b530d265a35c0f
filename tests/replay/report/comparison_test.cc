#include "replay/report/comparison.h"

#include <gmock/gmock.h>

#include <sstream>

namespace {

using replay::report::Compared;
using replay::report::PolicyRun;
using testing::HasSubstr;
using testing::Not;

PolicyRun run_of(const std::string& name, std::vector<double> batches) {
  PolicyRun run;
  run.name = name;
  run.batch_s = std::move(batches);
  run.per_batch = replay::report::distribution(run.batch_s, 1);
  return run;
}

// A thousand batches of so many milliseconds, one a little longer than the other.
std::vector<double> around(double ms) {
  std::vector<double> seconds(1000);
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    seconds[i] = (ms + static_cast<double>(i) / 1000) / 1000;
  }
  return seconds;
}

Compared compared(const std::string& name, std::vector<PolicyRun> policies) {
  Compared one{name, {}};
  one.summary.scenario = name;
  one.summary.policies = std::move(policies);
  return one;
}

TEST(Comparison, TellsRatiosToTheFirstAndWhichAreSure) {
  const std::vector<Compared> runs = {
      compared("before", {run_of("none", around(400)), run_of("collage", around(200))}),
      compared("after", {run_of("none", around(400)), run_of("collage", around(100))})};
  const std::string table = comparison_table(runs);
  EXPECT_THAT(table, HasSubstr("1.00 \n"));  // none, and no interval apart.
  EXPECT_THAT(table, HasSubstr("0.50*\n"));  // collage.
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

TEST(Comparison, SaysWhatOnlyOneRunHas) {
  const std::vector<Compared> runs = {compared("a", {run_of("none", around(400))}),
                                      compared("b", {run_of("hedge", around(300))})};
  EXPECT_THAT(comparison_table(runs), HasSubstr("only in 2: hedge\n"));
}

TEST(Comparison, SaysWhoAnswersOnlyAPartOfTheImages) {
  PolicyRun some = run_of("none", around(300));
  some.single = 1;
  some.unanswered = 3;
  const std::string table = replay::report::comparison_table(
      {compared("a", {run_of("none", around(400))}), compared("b", {some})});
  EXPECT_THAT(table, HasSubstr("only 25.00 % of the images answered in 2: none\n"));
  EXPECT_THAT(table, Not(HasSubstr("answered in 1")));
}

TEST(Comparison, OfAnOpenLoopIsAboutImages) {
  PolicyRun open = run_of("none", {});
  open.request_s = around(100);
  open.per_request = replay::report::distribution(open.request_s, 1);
  PolicyRun closed = run_of("none", around(400));
  closed.per_request = open.per_request;
  const std::string table =
      replay::report::comparison_table({compared("open", {open}), compared("closed", {closed})});
  EXPECT_THAT(table, HasSubstr("an image, ms"));
  EXPECT_THAT(table, HasSubstr("1.00 \n"));
  EXPECT_THAT(table, Not(HasSubstr("*")));
}

TEST(Comparison, MergedRunsKeepEveryPolicyUnderItsRunsName) {
  const auto all = replay::report::merged(
      {compared("a", {run_of("none", around(400))}), compared("b", {run_of("none", around(300))})});
  ASSERT_EQ(all.policies.size(), 2u);
  EXPECT_EQ(all.policies[0].name, "none, a");
  EXPECT_EQ(all.policies[1].name, "none, b");
  EXPECT_THAT(all.scenario, HasSubstr("a and b"));
}

}  // namespace
