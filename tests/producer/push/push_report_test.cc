#include "producer/push/push_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace producer {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

Line answered() {
  Line line{.file = "a/7.png", .latency = 120000400ns};
  line.result.request = {7};
  line.result.status = wire::ResultStatus::answered;
  line.result.source = wire::Source::collage;
  line.result.latency = 100ms;
  line.result.predictions = {{"coat", {{4}, 0.9f}}, {"shirt", {{6}, 0.1f}}};
  line.result.version = "abc";
  return line;
}

TEST(PushReport, AnAnswerIsOneLineOfJson) {
  EXPECT_EQ(json_line(answered()),
            R"({"request":7,"file":"a/7.png","status":"answered","class":"coat","label":4,)"
            R"("probability":0.9,"top":[{"class":"coat","probability":0.9},)"
            R"({"class":"shirt","probability":0.1}],"source":"collage",)"
            R"("broker_latency_s":0.1,"model":"abc","latency_s":0.12})");
}

TEST(PushReport, AnAnswerInABrownoutSaysSo) {
  Line line = answered();
  EXPECT_THAT(json_line(line), Not(HasSubstr("brownout")));
  line.result.brownout = true;
  EXPECT_THAT(json_line(line), HasSubstr(R"("model":"abc","brownout":true,"latency_s")"));
}

TEST(PushReport, ASupersededImageIsOneLineOfJson) {
  Line line{.file = "x", .latency = 50ms};
  line.result.request = {1};
  line.result.status = wire::ResultStatus::superseded;
  EXPECT_EQ(json_line(line), R"({"request":1,"file":"x","status":"superseded","latency_s":0.05})");
}

TEST(PushReport, AMissingResultHasNoClass) {
  Line line{.file = "x", .latency = 2s};
  line.result.request = {1};
  EXPECT_EQ(json_line(line), R"({"request":1,"file":"x","status":"missing","latency_s":2.0})");
}

TEST(PushReport, ARefusalNamesItsReason) {
  Line line{.file = "x"};
  line.result.status = wire::ResultStatus::refused;
  line.result.reason = wire::Reason::image_too_large;
  EXPECT_EQ(json_line(line),
            R"({"file":"x","status":"refused","latency_s":0.0,"reason":"image_too_large"})");
}

TEST(PushReport, AnUnreadableFileSaysWhy) {
  EXPECT_EQ(json_line({.kind = Line::Kind::unreadable, .file = "x", .error = "gone"}),
            R"({"file":"x","status":"unreadable","error":"gone"})");
}

TEST(PushReport, AnInterruptedImageIsNamed) {
  Line line{.kind = Line::Kind::interrupted, .file = "x"};
  line.result.request = {3};
  EXPECT_EQ(json_line(line), R"({"request":3,"file":"x","status":"interrupted"})");
}

TEST(PushReport, ACorrectionIsPrintedAsAnotherAnswer) {
  Line line{.kind = Line::Kind::corrected, .file = "x", .latency = 1500ms};
  line.result.request = {3};
  line.result.status = wire::ResultStatus::answered;
  line.result.source = wire::Source::single;
  line.result.predictions = {{"cat", {{3}, 0.75f}}};
  line.result.version = "s1";
  EXPECT_EQ(json_line(line),
            R"({"request":3,"file":"x","status":"corrected","class":"cat","label":3,)"
            R"("probability":0.75,"top":[{"class":"cat","probability":0.75}],"source":"single",)"
            R"("broker_latency_s":0.0,"model":"s1","latency_s":1.5})");
}

TEST(PushReport, NamesThatAreNoUtf8AreStillJson) {
  const std::string text =
      json_line({.kind = Line::Kind::unreadable, .file = "\xff.png\n", .error = "e"});
  EXPECT_TRUE(nlohmann::json::accept(text));
  EXPECT_THAT(text, Not(HasSubstr("\n")));
}

TEST(PushReport, ProgressCountsSourcesAndWhatIsLeft) {
  const Tally tally{.taken = 60,
                    .reported = 50,
                    .answered = 48,
                    .single = 40,
                    .collage = 7,
                    .hedge = 1,
                    .missing = 2};
  EXPECT_EQ(progress_line(tally, 100, 5s),
            "48 answered (single 40, collage 7, hedge 1), 2 without answer, 10.0 images/s, 50 to "
            "go (5 s)");
  EXPECT_THAT(progress_line(tally, 0, 5s), Not(HasSubstr("to go")));
  EXPECT_THAT(progress_line({.corrected = 3}, 0, 5s), HasSubstr(", 3 corrected"));
  EXPECT_THAT(progress_line({.brownout = 2, .superseded = 4}, 0, 5s),
              HasSubstr(", 4 superseded, 2 in brownout"));
}

}  // namespace
}  // namespace producer
