#include "runtime/loop/log.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/values.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;
using testing::MatchesRegex;
using testing::Optional;

std::string logged(const LogOptions& options, const std::function<void()>& write) {
  testing::internal::CaptureStderr();
  start_log(options);
  write();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, AnEventIsOneLineOfText) {
  EXPECT_THAT(logged({.process = "broker"}, [] { spdlog::warn("lost {} \"x\"\nand", 3); }),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\\.[0-9]{3} warning broker: lost 3 "
                           "\"x\"\\\\u000aand\n"));
}

TEST(Log, AnEventIsOneObjectOfJson) {
  const std::string line = logged({.process = "sink", .format = LogFormat::json},
                                  [] { spdlog::error("say \"hi\"\\\n\x1b[0m"); });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto object = nlohmann::json::parse(line);
  EXPECT_EQ(object.at("message"), "say \"hi\"\\\n\x1b[0m");
  EXPECT_EQ(object.at("process"), "sink");
  EXPECT_EQ(object.at("level"), "error");
  EXPECT_THAT(object.at("time").get<std::string>(),
              MatchesRegex("[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z"));
}

TEST(Log, EventsBelowTheLevelAreSilent) {
  EXPECT_EQ(logged({.process = "a", .level = spdlog::level::warn}, [] { spdlog::info("x"); }), "");
}

TEST(LogLimiter, OneMessageAnIntervalPassesAndTheOthersAreCounted) {
  LogLimiter limiter(1s);
  EXPECT_THAT(limiter.admit(at(0s)), Optional(0u));
  EXPECT_EQ(limiter.admit(at(10ms)), std::nullopt);
  EXPECT_EQ(limiter.admit(at(999ms)), std::nullopt);
  EXPECT_THAT(limiter.admit(at(1s)), Optional(2u));
  EXPECT_THAT(limiter.admit(at(2s)), Optional(0u));
}

TEST(LogLimiter, AWarningHasTheNumberOfSuppressedOnes) {
  const std::string lines = logged({.process = "broker"}, [] {
    LogLimiter limiter(1s);
    warn_limited(limiter, at(0s), "bad frame of {}", "a");
    warn_limited(limiter, at(0s), "bad frame of {}", "b");
    warn_limited(limiter, at(1s), "bad frame of {}", "c");
  });
  EXPECT_THAT(lines, MatchesRegex(".*bad frame of a\n.*bad frame of c \\(1 more like this\\)\n"));
}

}  // namespace
}  // namespace runtime
