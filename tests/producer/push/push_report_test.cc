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

TEST(PushReport, AFormatThatIsNotDecodedIsNamed) {
  Line line{.file = "x", .latency = 1500ms, .format = "JPEG 2000"};
  line.result.request = {3};
  line.result.status = wire::ResultStatus::rejected;
  line.result.reason = wire::Reason::unsupported_image;
  EXPECT_EQ(json_line(line), R"({"request":3,"file":"x","status":"rejected","latency_s":1.5,)"
                             R"("reason":"unsupported_image","format":"JPEG 2000"})");
}

TEST(PushReport, NamesThatAreNoUtf8AreToldApart) {
  const auto named = [](const std::string& name) {
    return json_line({.kind = Line::Kind::interrupted, .file = name});
  };
  EXPECT_EQ(named("a\xff.png"),
            R"({"file":"a\\xff.png","file_base64":"Yf8ucG5n","status":"interrupted"})");
  EXPECT_NE(named("a\xfe.png"), named("a\xff.png"));
  // The same letters in UTF-8 are another name.
  EXPECT_EQ(named("a\\xff.png"), R"({"file":"a\\xff.png","status":"interrupted"})");
  EXPECT_EQ(named("\xe6\x97\xa5\n"), "{\"file\":\"\xe6\x97\xa5\\n\",\"status\":\"interrupted\"}");
  EXPECT_TRUE(nlohmann::json::accept(named("\xf0\x9f\x98\xe6\x97")));
}

TEST(PushReport, CsvHasAColumnForEachValue) {
  EXPECT_EQ(csv_header(),
            "request,file,status,class,label,probability,source,latency_s,broker_latency_s,model,"
            "brownout,reason,error,file_base64,format");
  EXPECT_EQ(csv_line(answered()), "7,a/7.png,answered,coat,4,0.9,collage,0.12,0.1,abc,,,,,");
  Line refused{.file = "x"};
  refused.result.status = wire::ResultStatus::refused;
  refused.result.reason = wire::Reason::image_too_large;
  EXPECT_EQ(csv_line(refused), ",x,refused,,,,,0.0,,,,image_too_large,,,");
  Line rejected{.file = "x", .format = "JPEG XL"};
  rejected.result.status = wire::ResultStatus::rejected;
  rejected.result.reason = wire::Reason::unsupported_image;
  EXPECT_EQ(csv_line(rejected), ",x,rejected,,,,,0.0,,,,unsupported_image,,,JPEG XL");
}

TEST(PushReport, CsvQuotesWhatNeedsIt) {
  EXPECT_EQ(csv_line({.kind = Line::Kind::unreadable, .file = "a,\"b\"\n", .error = "gone"}),
            ",\"a,\"\"b\"\"\n\",unreadable,,,,,,,,,,gone,,");
  EXPECT_EQ(csv_line({.kind = Line::Kind::interrupted, .file = "\xff"}),
            ",\\xff,interrupted,,,,,,,,,,,/w==,");
}

Tally tally() {
  Tally tally{.taken = 60,
              .reported = 50,
              .answered = 47,
              .single = 40,
              .collage = 6,
              .hedge = 1,
              .missing = 2,
              .unreadable = 1};
  tally.causes = {{"missing (no_stage)", 2}, {"unreadable (gone)", 1}};
  for (int i = 1; i <= 47; ++i) tally.latencies.observe(std::chrono::milliseconds(10 * i));
  return tally;
}

TEST(PushReport, ProgressFitsItsColumns) {
  EXPECT_EQ(progress_line(tally(), 100, 5s, 100),
            "50/100, 10.0/s, 5 s left, 3 without answer, p50 0.242 s, p99 0.47 s, 6 by collage");
  EXPECT_EQ(progress_line(tally(), 100, 5s, 20), "50/100, 10.0/s, 5 s ");
  EXPECT_EQ(progress_line({}, 0, 0s, 79), "0, 0.0/s");
  Tally large = tally();
  large.reported = 123'456'789'012;
  EXPECT_LE(progress_line(large, 999'999'999'999, 500000s, 79).size(), 79u);
}

TEST(PushReport, TheSummaryHasPercentilesAndCausesByCount) {
  EXPECT_EQ(summary(tally(), 5s),
            "47 of 50 answered in 5 s (10.0/s): single 40, collage 6, hedge 1\n"
            "latency: p50 0.242 s, p95 0.451 s, p99 0.47 s, max 0.47 s\n"
            "2 missing (no_stage)\n"
            "1 unreadable (gone)\n");
  EXPECT_EQ(summary({}, 1s), "0 of 0 answered in 1 s (0.0/s): single 0, collage 0, hedge 0\n");
  Tally more;
  more.brownout = 2;
  more.corrected = 3;
  EXPECT_THAT(summary(more, 1s), HasSubstr(", in brownout 2, corrected 3\n"));
}

}  // namespace
}  // namespace producer
