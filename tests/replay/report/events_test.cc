#include "replay/report/events.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <chrono>

#include "replay/report/event_reader.h"

namespace {

using namespace std::chrono_literals;
using replay::report::EventFile;

class Events : public testing::Test {
 protected:
  Events()
      : file_(std::filesystem::path(testing::TempDir()) /
              (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
               ".csv.gz")) {
    std::filesystem::remove(file_);
  }
  ~Events() override { std::filesystem::remove(file_); }

  std::string text() const {
    const gzFile in = gzopen(file_.c_str(), "rb");
    std::string text(10'000, '\0');
    const int got = gzread(in, text.data(), static_cast<unsigned>(text.size()));
    gzclose(in);
    text.resize(static_cast<std::size_t>(std::max(got, 0)));
    return text;
  }

  const std::filesystem::path file_;
};

TEST_F(Events, AreALineEach) {
  EventFile events(file_);
  events.policy("collage");
  events.begin({2s});
  replay::load::Answer answer;
  answer.image = 17;
  answer.at = {2223ms};
  answer.latency = 138ms;
  answer.result.status = wire::ResultStatus::answered;
  answer.result.source = wire::Source::collage;
  answer.result.predictions = {{"T-shirt, top", {{0}, 0.97f}}};
  events.answer(answer, "Boot");
  answer.image = 18;
  answer.result = {};
  answer.result.status = wire::ResultStatus::refused;
  events.answer(answer, "");
  events.batch(1, {2300ms}, 198ms);
  events.health({.at_s = 1, .classifiers = 9, .assemblers = 1, .suspect = 0, .on_probation = 2});
  events.fault({12s}, "kill classifier-3");
  events.finish();
  EXPECT_EQ(text(),
            "seconds,policy,event,...\n"
            "0.000000,collage,policy\n"
            "0.223000,collage,answer,17,0.138000,collage,T-shirt  top,0.970,Boot\n"
            "0.223000,collage,answer,18,0.138000,refused,,,\n"
            "0.300000,collage,batch,1,0.198000\n"
            "1.000000,collage,health,9,1,0,2\n"
            "10.000000,collage,fault,kill classifier-3\n");
}

TEST_F(Events, ReadBackAreTheRunsTheyTellOf) {
  EventFile events(file_);
  for (const std::string policy : {"none", "collage"}) {
    events.policy(policy);
    events.begin({2s});
    replay::load::Answer answer;
    answer.result.status = wire::ResultStatus::answered;
    answer.result.source = policy == "none" ? wire::Source::single : wire::Source::collage;
    answer.result.predictions = {{"T-shirt, top", {{0}, 0.97f}}};
    for (answer.image = 0; answer.image < 4; ++answer.image) {
      answer.latency = (100 + answer.image) * 1ms;
      answer.at = {2s + answer.latency};
      events.answer(answer, answer.image == 3 ? "Boot" : "T-shirt, top");
    }
    events.batch(0, {2103ms}, 103ms);
    events.health({.at_s = 1, .classifiers = 9, .assemblers = 1, .suspect = 3, .on_probation = 2});
    events.fault({12s}, "kill classifier-3");
  }
  events.finish();
  const auto runs = replay::report::read_events(file_, 1, 4);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].name, "none");
  const replay::report::PolicyRun& run = runs[1];
  EXPECT_EQ(run.name, "collage");
  EXPECT_EQ(run.collage, 4u);
  EXPECT_DOUBLE_EQ(run.accuracy, 0.75);
  EXPECT_DOUBLE_EQ(run.per_request.p99_s, 0.103);
  EXPECT_THAT(run.batch_s, testing::ElementsAre(testing::DoubleEq(0.103)));
  ASSERT_EQ(run.health.size(), 1u);
  EXPECT_EQ(run.health[0].suspect, 3u);
  ASSERT_EQ(run.faults.size(), 1u);
  EXPECT_EQ(run.faults[0].what, "kill classifier-3");
  EXPECT_DOUBLE_EQ(run.faults[0].at_s, 10);
}

TEST_F(Events, ThatAreNoneAreRefusedByLine) {
  const auto refuses = [this](const std::string& line, const std::string& what) {
    const gzFile out = gzopen(file_.c_str(), "wb");
    gzputs(out, ("seconds,policy,event,...\n" + line + "\n").c_str());
    gzclose(out);
    EXPECT_THAT(
        [this] { replay::report::read_events(file_, 1, 4); },
        testing::ThrowsMessage<replay::report::EventError>(testing::HasSubstr(":2: " + what)));
  };
  refuses("0.1,none,answer,x,0.1,single,Boot,0.9,Boot", "'x' is no number");
  refuses("0.1,none,answer,1,0.1,oracle,Boot,0.9,Boot", "'oracle' is no source");
  refuses("0.1,none,party", "'party' is no event");
  refuses("0.1,none,batch,1", "has 4 fields, must have more");
  refuses("0.1,none,answer,1,nan,single,Boot,0.9,Boot", "'nan' is no time");
  refuses("0.1,none,answer,1,1e300,single,Boot,0.9,Boot", "'1e300' is no time");
  EXPECT_THROW(replay::report::read_events("nowhere.csv.gz", 1, 4), replay::report::EventError);
  const gzFile out = gzopen(file_.c_str(), "wb");
  gzputs(out, "time,what\n");
  gzclose(out);
  EXPECT_THAT([this] { replay::report::read_events(file_, 1, 4); },
              testing::ThrowsMessage<replay::report::EventError>(testing::HasSubstr(":1: ")));
}

TEST_F(Events, APolicyWithoutOneIsARunAllTheSameAndTokensAreNotJudged) {
  EventFile events(file_);
  events.policy("none");
  events.policy("collage");
  events.begin({0s});
  replay::load::Answer token;
  token.result.status = wire::ResultStatus::answered;
  token.result.source = wire::Source::single;
  token.result.predictions = {{"7", {{7}, 1.0f}}};
  events.answer(token, "");
  events.finish();
  const auto runs = replay::report::read_events(file_, 1, 4);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].per_request.count, 0u);
  EXPECT_EQ(runs[1].single, 1u);
  EXPECT_FALSE(runs[1].judged);
}

TEST_F(Events, HaveTheirNameOnlyWhenFinished) {
  {
    EventFile events(file_);
    events.policy("none");
    EXPECT_FALSE(std::filesystem::exists(file_));
  }
  EXPECT_FALSE(std::filesystem::exists(file_));
  EXPECT_FALSE(std::filesystem::exists(file_.string() + ".part"));
}

}  // namespace
