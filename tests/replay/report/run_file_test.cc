#include "replay/report/run_file.h"

#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "replay/report/events.h"

namespace {

using namespace std::chrono_literals;
using replay::report::Summary;
using testing::HasSubstr;
using testing::ThrowsMessage;

class RunFile : public testing::Test {
 protected:
  RunFile()
      : folder_(std::filesystem::path(testing::TempDir()) /
                (std::string("run_file_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~RunFile() override { std::filesystem::remove_all(folder_); }

  // One answer and one batch each.
  template <typename... Policies>
  void write_events(const Policies&... policies) const {
    replay::report::EventFile events(folder_ / "events.csv.gz");
    for (const std::string policy : {policies...}) {
      events.policy(policy);
      events.begin({1s});
      replay::load::Answer answer;
      answer.at = {1100ms};
      answer.latency = 100ms;
      answer.result.status = wire::ResultStatus::answered;
      answer.result.source = wire::Source::single;
      answer.result.predictions = {{"cat", {{0}, 0.5f}}};
      events.answer(answer, "cat");
      events.batch(0, {1100ms}, 100ms);
    }
    events.finish();
  }

  void write_record(const std::string& text) const { std::ofstream(folder_ / "run.json") << text; }

  const std::filesystem::path folder_;
};

Summary full_summary() {
  Summary summary;
  summary.scenario = "small";
  summary.mode = "live";
  summary.about = "What is asked.";
  summary.seed = 7;
  summary.commit = "abc";
  summary.version = "0.2.0~1.gabc";
  summary.host = "b1";
  summary.date = "2026-11-29 06:20 UTC";
  summary.machine = "two cores";
  summary.command = "collage-replay run small";
  summary.slots = 1;
  summary.collage_time_ratio = 0.9;
  summary.pictures[3] = "data:image/png;base64,AA==";
  replay::report::PolicyRun run;
  run.name = "collage";
  run.judged = true;
  run.extra_work = 0.1;
  run.violations = 1;
  run.seconds = 12;
  run.single = 1;
  run.examples = {{.batch = 4,
                   .mixed = true,
                   .slots = {{.image = 3,
                              .source = "collage",
                              .answer = "cat",
                              .probability = 0.5,
                              .truth = "dog",
                              .latency_s = 0.2}},
                   .collage = "data:image/png;base64,BB=="}};
  summary.policies = {run};
  return summary;
}

TEST_F(RunFile, AndEventsAreTheWholeRun) {
  write_events("collage");
  write_record(to_run_file(full_summary()));
  const Summary read = replay::report::read_run(folder_);
  EXPECT_EQ(read.scenario, "small");
  EXPECT_EQ(read.mode, "live");
  EXPECT_EQ(read.seed, 7u);
  EXPECT_EQ(read.slots, 1u);
  EXPECT_EQ(read.command, "collage-replay run small");
  EXPECT_EQ(read.pictures.at(3), "data:image/png;base64,AA==");
  ASSERT_EQ(read.policies.size(), 1u);
  const replay::report::PolicyRun& run = read.policies[0];
  EXPECT_DOUBLE_EQ(run.accuracy, 1);
  EXPECT_DOUBLE_EQ(run.extra_work, 0.1);
  EXPECT_EQ(run.violations, 1u);
  EXPECT_DOUBLE_EQ(run.per_batch.p50_s, 0.1);
  ASSERT_EQ(run.examples.size(), 1u);
  EXPECT_EQ(run.examples[0].slots[0].truth, "dog");
  EXPECT_EQ(to_run_file(read), to_run_file(full_summary()));
}

TEST_F(RunFile, OfAnOlderVersionHasNoHostAndNoCollages) {
  write_events("collage");
  auto old = nlohmann::json::parse(to_run_file(full_summary()));
  for (const char* key : {"version", "host", "date"}) EXPECT_EQ(old.erase(key), 1u);
  EXPECT_EQ(old["policies"][0]["examples"][0].erase("collage"), 1u);
  write_record(old.dump());
  const Summary read = replay::report::read_run(folder_);
  EXPECT_EQ(read.host, "");
  EXPECT_EQ(read.policies[0].examples[0].collage, "");
  EXPECT_EQ(read.policies[0].examples[0].slots.size(), 1u);
}

TEST_F(RunFile, FindsItsPoliciesByName) {
  Summary two = full_summary();
  two.policies.push_back(two.policies.front());
  two.policies[1].name = "none";
  two.policies[1].extra_work = 0;
  write_events("none", "collage");
  write_record(to_run_file(two));
  const Summary read = replay::report::read_run(folder_);
  EXPECT_EQ(read.policies[0].name, "none");
  EXPECT_EQ(read.policies[0].extra_work, 0);
  EXPECT_EQ(read.policies[1].extra_work, 0.1);
}

TEST_F(RunFile, ThatIsNoneIsRefusedByName) {
  const auto refuses = [this](const std::string& what) {
    EXPECT_THAT([this] { replay::report::read_run(folder_); },
                ThrowsMessage<std::runtime_error>(HasSubstr("run.json: " + what)));
  };
  refuses("cannot be read");
  write_events("collage");
  for (const char* text : {"", "{}", "[1]"}) {
    write_record(text);
    refuses("is no record of a run");
  }
  Summary bad = full_summary();
  bad.slots = 0;
  write_record(to_run_file(bad));
  refuses("is no record of a run: has collages of 0 slots");
  std::string text = to_run_file(full_summary());
  text.replace(text.find("\"3\""), 3, "\"x\"");
  write_record(text);
  refuses("is no record of a run");
  bad = full_summary();
  bad.policies.front().name = "none";
  write_record(to_run_file(bad));
  refuses("is no record of a run: has other policies than the events of its folder");
  bad = full_summary();
  bad.policies.front().unanswered = 1;
  write_record(to_run_file(bad));
  refuses("is no record of a run: the events of this folder are of another run");
}

TEST(Picture, IsADataUri) {
  EXPECT_EQ(replay::report::picture_of(wire::Payload({'M', 'a', 'n', '!'})),
            "data:image/png;base64,TWFuIQ==");
}

}  // namespace
