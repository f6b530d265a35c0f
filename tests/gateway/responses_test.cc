// How outcomes become statuses, problems and answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/classify_response.h"
#include "gateway/outcome.h"
#include "tests/gateway/requests.h"

namespace gateway {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using wire::Reason;
using wire::ResultStatus;

ClassifyRequest request_of(std::size_t images, bool list) {
  return {.images = std::vector<Image>(images), .list = list};
}

TEST(Outcome, EveryReasonHasItsStatus) {
  const std::vector<std::pair<Reason, int>> statuses = {
      {Reason::empty_image, 400},       {Reason::not_an_image, 415},
      {Reason::truncated_image, 422},   {Reason::too_many_pixels, 413},
      {Reason::unsupported_image, 415}, {Reason::bad_scores, 422},
      {Reason::image_too_large, 413},   {Reason::full, 429},
      {Reason::no_credit, 429},         {Reason::overloaded, 429},
      {Reason::draining, 503},          {Reason::wrong_protocol, 503}};
  for (const auto& [reason, status] : statuses) {
    const Outcome outcome = ended(
        status == 429 || status == 503 ? ResultStatus::refused : ResultStatus::rejected, reason);
    EXPECT_EQ(status_of(outcome), status) << to_string(reason);
    const Problem problem = problem_of(outcome);
    EXPECT_EQ(problem.reason, to_string(reason));
    EXPECT_EQ(problem.retry_after.has_value(), status == 429 || status == 503);
  }
}

TEST(Outcome, EveryEndHasItsStatus) {
  EXPECT_EQ(status_of(answered()), 200);
  EXPECT_EQ(status_of(ended(ResultStatus::missing)), 504);
  EXPECT_EQ(status_of(ended(ResultStatus::superseded)), 409);
  EXPECT_EQ(status_of(Outcome{Outcome::Kind::no_broker, {}}), 503);
  EXPECT_EQ(status_of(Outcome{Outcome::Kind::draining, {}}), 503);
  EXPECT_EQ(status_of(Outcome{Outcome::Kind::no_room, {}}), 429);
}

TEST(Outcome, AMissingImageSaysWhy) {
  for (const Reason reason : {Reason::no_broker, Reason::draining}) {
    const Problem problem = problem_of(ended(ResultStatus::missing, reason));
    EXPECT_EQ(problem.status, 503);
    EXPECT_EQ(problem.reason, to_string(reason));
    EXPECT_EQ(problem.retry_after, 1s);
  }
  const std::vector<std::pair<Reason, std::string>> details = {
      {Reason::no_sink, "no sink"},
      {Reason::no_stage, "no stage is"},
      {Reason::overloaded, "too much work"},
      {Reason::no_credit, "no more images"},
      {Reason::no_answer, "did not answer"}};
  for (const auto& [reason, detail] : details) {
    const Problem problem = problem_of(ended(ResultStatus::missing, reason));
    EXPECT_EQ(problem.status, 504) << to_string(reason);
    EXPECT_EQ(problem.reason, "missing");
    EXPECT_THAT(problem.detail, testing::HasSubstr(detail));
    EXPECT_FALSE(problem.retry_after.has_value());
  }
}

TEST(Outcome, TheHintOfTheBrokerIsRoundedUpToSeconds) {
  EXPECT_EQ(problem_of(ended(ResultStatus::refused, Reason::overloaded, 2100ms)).retry_after,
            2100ms);
  EXPECT_EQ(retry_seconds(2100ms), "3");
  EXPECT_EQ(retry_seconds(100ms), "1");
  EXPECT_EQ(retry_seconds(0ms), "1");
}

TEST(ClassifyResponse, AnAnswerNamesSourceModelAndLatency) {
  const Response response = classify_response(request_of(1, false), {answered()});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.type, "application/json");
  EXPECT_EQ(header_of(response, "X-Collage-Source"), "collage");
  EXPECT_EQ(header_of(response, "X-Collage-Model"), "collage-1");
  EXPECT_EQ(header_of(response, "X-Collage-Latency-Ms"), "12.345");
  EXPECT_EQ(json::parse(response.body), json::parse(R"({
    "status": "answered", "class": "coat", "label": 4, "probability": 0.9,
    "top": [{"class": "coat", "probability": 0.9}, {"class": "shirt", "probability": 0.1}],
    "source": "collage", "broker_latency_s": 0.012345, "model": "collage-1", "latency_s": 0.014})"));
}

TEST(ClassifyResponse, WhatWentWrongIsAProblemDocument) {
  const Response response = classify_response(
      request_of(1, false), {ended(ResultStatus::refused, Reason::overloaded, 300ms)});
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.type, "application/problem+json");
  EXPECT_EQ(header_of(response, "Retry-After"), "1");
  const json problem = json::parse(response.body);
  EXPECT_EQ(problem["status"], 429);
  EXPECT_EQ(problem["title"], "Too Many Requests");
  EXPECT_EQ(problem["reason"], "overloaded");
}

TEST(ClassifyResponse, AFormatThatIsNotDecodedIsNamed) {
  ClassifyRequest request = request_of(1, false);
  request.images[0].bytes = wire::Payload(wire::Payload::Bytes{'8', 'B', 'P', 'S', 0, 1, 0, 0});
  const Response response =
      classify_response(request, {ended(ResultStatus::rejected, Reason::unsupported_image)});
  EXPECT_EQ(response.status, 415);
  EXPECT_EQ(json::parse(response.body)["detail"],
            "the image has a format that the pipeline does not decode: PSD");
}

TEST(ClassifyResponse, AListHasAStatusForEachImage) {
  ClassifyRequest request = request_of(3, true);
  request.images[1].name = "b\xff.png";  // Not UTF-8.
  const Response response = classify_response(
      request, {answered(), ended(ResultStatus::rejected, Reason::truncated_image),
                ended(ResultStatus::refused, Reason::full, 4s)});
  EXPECT_EQ(response.status, 207);
  EXPECT_EQ(header_of(response, "Retry-After"), "4");
  const json list = json::parse(response.body);
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0]["status"], 200);
  EXPECT_EQ(list[0]["answer"]["class"], "coat");
  EXPECT_EQ(list[1]["index"], 1);
  EXPECT_EQ(list[1]["status"], 422);
  EXPECT_EQ(list[1]["reason"], "truncated_image");
  EXPECT_EQ(list[2]["status"], 429);
}

TEST(ClassifyResponse, AListOfOneMindHasItsStatus) {
  EXPECT_EQ(classify_response(request_of(2, true), {answered(), answered()}).status, 200);
  const Outcome missing = ended(ResultStatus::missing);
  EXPECT_EQ(classify_response(request_of(2, true), {missing, missing}).status, 504);
  const Response one = classify_response(request_of(1, true), {answered()});
  EXPECT_EQ(json::parse(one.body).size(), 1u);
}

}  // namespace
}  // namespace gateway
