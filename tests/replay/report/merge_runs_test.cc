#include "replay/report/merge_runs.h"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>

#include "replay/report/event_reader.h"
#include "replay/report/events.h"
#include "replay/report/run_file.h"

namespace {

using namespace std::chrono_literals;
using replay::report::PolicyRun;
using replay::report::Summary;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class MergeRuns : public testing::Test {
 protected:
  MergeRuns()
      : top_(std::filesystem::path(testing::TempDir()) /
             (std::string("merge_runs_") +
              testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(top_);
  }
  ~MergeRuns() override { std::filesystem::remove_all(top_); }

  // A run under one policy of one image, which took so long.
  std::filesystem::path run(const std::string& policy, wire::Duration latency,
                            const Summary& like) const {
    const std::filesystem::path folder = top_ / policy;
    std::filesystem::create_directories(folder);
    replay::report::EventFile events(folder / "events.csv.gz");
    events.policy(policy);
    events.begin({1s});
    replay::load::Answer answer;
    answer.at = {1s + latency};
    answer.latency = latency;
    answer.result.status = wire::ResultStatus::answered;
    answer.result.source = wire::Source::single;
    answer.result.predictions = {{"cat", {{0}, 0.5f}}};
    events.answer(answer, "cat");
    events.batch(0, answer.at, latency);
    events.finish();
    Summary summary = like;
    PolicyRun policy_run;
    policy_run.name = policy;
    policy_run.extra_work = 0.25;
    policy_run.single = 1;
    summary.policies = {policy_run};
    summary.command = "run --policies " + policy;
    std::ofstream(folder / "run.json") << replay::report::to_run_file(summary);
    return folder;
  }

  const std::filesystem::path top_;
};

Summary small_summary() {
  Summary summary;
  summary.scenario = "small";
  summary.mode = "deployed";
  summary.seed = 7;
  summary.commit = "abc";
  summary.slots = 1;
  return summary;
}

TEST_F(MergeRuns, RunsOfOneScenarioAreOneRunInTheirOrder) {
  const Summary whole = replay::report::merge_runs(
      {run("none", 300ms, small_summary()), run("collage", 100ms, small_summary())},
      top_ / "whole");
  ASSERT_EQ(whole.policies.size(), 2u);
  EXPECT_EQ(whole.policies[0].name, "none");
  EXPECT_EQ(whole.policies[1].name, "collage");
  EXPECT_DOUBLE_EQ(whole.policies[1].extra_work, 0.25);
  EXPECT_EQ(whole.command, "run --policies none && run --policies collage");
}

TEST_F(MergeRuns, ItsEventsAreThoseOfAll) {
  std::ignore = replay::report::merge_runs(
      {run("none", 300ms, small_summary()), run("collage", 100ms, small_summary())},
      top_ / "whole");
  const std::vector<PolicyRun> runs =
      replay::report::read_events(top_ / "whole/events.csv.gz", 7, 1);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_THAT(runs[0].request_s, ElementsAre(testing::DoubleNear(0.3, 1e-9)));
  EXPECT_THAT(runs[1].request_s, ElementsAre(testing::DoubleNear(0.1, 1e-9)));
}

TEST_F(MergeRuns, TheWholeIsReadAgainAsARun) {
  const Summary whole = replay::report::merge_runs(
      {run("none", 300ms, small_summary()), run("collage", 100ms, small_summary())},
      top_ / "whole");
  std::ofstream(top_ / "whole/run.json") << replay::report::to_run_file(whole);
  EXPECT_EQ(replay::report::read_run(top_ / "whole").policies.size(), 2u);
}

TEST_F(MergeRuns, PicturesOfAllAreKept) {
  Summary first = small_summary();
  Summary second = small_summary();
  first.pictures[1] = "data:image/png;base64,AA==";
  second.pictures[2] = "data:image/png;base64,AQ==";
  const Summary whole = replay::report::merge_runs(
      {run("none", 300ms, first), run("collage", 100ms, second)}, top_ / "whole");
  EXPECT_EQ(whole.pictures.size(), 2u);
}

TEST_F(MergeRuns, ARunOfAnotherScenarioIsNotJoined) {
  Summary other = small_summary();
  other.scenario = "large";
  const std::vector<std::filesystem::path> folders = {run("none", 300ms, small_summary()),
                                                      run("collage", 100ms, other)};
  EXPECT_THAT(
      [&] { std::ignore = replay::report::merge_runs(folders, top_ / "whole"); },
      ThrowsMessage<std::runtime_error>(HasSubstr("collage: is a run of another scenario")));
  EXPECT_FALSE(std::filesystem::exists(top_ / "whole"));
}

TEST_F(MergeRuns, ARunOfAnotherSeedIsNotJoined) {
  Summary other = small_summary();
  other.seed = 8;
  const std::vector<std::filesystem::path> folders = {run("none", 300ms, small_summary()),
                                                      run("collage", 100ms, other)};
  EXPECT_THAT([&] { std::ignore = replay::report::merge_runs(folders, top_ / "whole"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("another seed")));
}

TEST_F(MergeRuns, NoPolicyIsThereTwice) {
  const std::filesystem::path none = run("none", 300ms, small_summary());
  EXPECT_THAT(
      [&] {
        std::ignore = replay::report::merge_runs({none, none}, top_ / "whole");
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("has none, as one before it")));
}

}  // namespace
