#include "replay/report/events.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <chrono>

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
  events.answer(answer);
  answer.result = {};
  answer.result.status = wire::ResultStatus::refused;
  events.answer(answer);
  events.batch(1, {2300ms}, 198ms);
  events.health({.at_s = 1, .classifiers = 9, .assemblers = 1, .suspect = 0, .on_probation = 2});
  events.fault({12s}, "kill classifier-3");
  events.finish();
  EXPECT_EQ(text(),
            "seconds,policy,event,...\n"
            "0.223000,collage,answer,17,0.138000,collage,T-shirt  top,0.970\n"
            "0.223000,collage,answer,17,0.138000,refused,,\n"
            "0.300000,collage,batch,1,0.198000\n"
            "1.000000,collage,health,9,1,0,2\n"
            "10.000000,collage,fault,kill classifier-3\n");
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
