// What a request's head tells before its body is read: length, options, endpoint.
#include "gateway/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/request_options.h"
#include "gateway/routes.h"
#include "tests/gateway/requests.h"

namespace gateway {
namespace {

using namespace std::chrono_literals;

int status_of_length(HeaderList headers) {
  const auto length = judge_body(head(std::move(headers)), {.body_bytes_max = 1000});
  return length ? 200 : length.error().status;
}

TEST(Head, ABodyHasTheLengthThatItsHeadSays) {
  EXPECT_EQ(judge_body(head({}), {})->bytes, 0u);
  EXPECT_EQ(judge_body(head({{"CONTENT-LENGTH", " 17 "}}), {})->bytes, 17u);
  EXPECT_EQ(judge_body(head({{"Transfer-Encoding", "Chunked"}}), {})->bytes, std::nullopt);
}

TEST(Head, ABodyThatIsTooLargeIsRefusedUnread) {
  EXPECT_EQ(status_of_length({{"Content-Length", "1000"}}), 200);
  EXPECT_EQ(status_of_length({{"Content-Length", "1001"}}), 413);
  EXPECT_EQ(status_of_length({{"Content-Length", "99999999999999999999999999"}}), 413);
}

TEST(Head, ALengthThatTwoReadersCouldReadDifferentlyIsRefused) {
  for (const char* length : {"-1", "+5", "0x10", "5 5", "5,5", "1e3", "five"}) {
    EXPECT_EQ(status_of_length({{"Content-Length", length}}), 400) << length;
  }
  EXPECT_EQ(status_of_length({{"Content-Length", "5"}, {"Content-Length", "5"}}), 400);
  EXPECT_EQ(status_of_length({{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}), 400);
  EXPECT_EQ(status_of_length({{"Transfer-Encoding", "gzip, chunked"}}), 400);
}

TEST(Head, ACompressedBodyIsRefused) {
  EXPECT_EQ(status_of_length({{"Content-Encoding", "gzip"}, {"Content-Length", "5"}}), 415);
  EXPECT_EQ(status_of_length({{"Content-Encoding", "identity"}, {"Content-Length", "5"}}), 200);
}

TEST(Head, OptionsComeFromHeaders) {
  const auto options = read_options(head({{"x-collage-deadline-ms", "250"},
                                          {"X-Collage-Priority", "HIGH"},
                                          {"X-Collage-Stream", "7"},
                                          {"X-Collage-Latest", "18446744073709551615"},
                                          {"Idempotency-Key", "a key"}}));
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->submit.deadline, 250ms);
  EXPECT_EQ(options->submit.priority, wire::Priority::high);
  EXPECT_EQ(options->submit.stream, producer::StreamId{7});
  EXPECT_EQ(options->submit.latest, UINT64_MAX);
  EXPECT_EQ(options->idempotency_key, "a key");
}

TEST(Head, WithoutHeadersTheDefaultsHold) {
  const auto options = read_options(head({}));
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->submit.deadline, 0ms);
  EXPECT_EQ(options->submit.priority, wire::Priority::normal);
  EXPECT_FALSE(options->submit.stream.has_value());
  EXPECT_EQ(options->submit.latest, 0u);
  EXPECT_EQ(options->idempotency_key, "");
}

TEST(Head, OptionsThatAreNotWellFormedAreRefused) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"X-Collage-Deadline-Ms", "0"},     {"X-Collage-Deadline-Ms", "-5"},
      {"X-Collage-Deadline-Ms", "1.5"},   {"X-Collage-Deadline-Ms", "86400001"},
      {"X-Collage-Priority", "urgent"},   {"X-Collage-Stream", "0"},
      {"X-Collage-Stream", "camera"},     {"X-Collage-Latest", "18446744073709551616"},
      {"Idempotency-Key", "line\nbreak"}, {"Idempotency-Key", std::string(256, 'a')}};
  for (const auto& header : wrong) {
    const auto options = read_options(head({header}));
    ASSERT_FALSE(options.has_value()) << header.first << ": " << header.second;
    EXPECT_EQ(options.error().status, 400);
    EXPECT_THAT(options.error().detail, testing::HasSubstr(header.first));
  }
}

TEST(Head, ATraceparentIsTakenIfItIsOne) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(read_options(head({{"traceparent", good}}))->traceparent, good);
  for (const std::string& wrong :
       std::vector<std::string>{good + "0", good.substr(1), "ff" + good.substr(2), good + "-more",
                                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"}) {
    const auto options = read_options(head({{"traceparent", wrong}}));
    ASSERT_TRUE(options.has_value()) << wrong;
    EXPECT_EQ(options->traceparent, "") << wrong;
  }
}

int status_of_route(const std::string& method, const std::string& path) {
  const auto endpoint = find_endpoint(head({}, method, path));
  return endpoint ? 200 : endpoint.error().status;
}

TEST(Head, EveryPathHasItsMethods) {
  for (const char* path :
       {"/v2", "/v2/", "/v2/health/live", "/v2/health/ready", "/v2/models/collage",
        "/v2/models/collage/versions/1", "/v2/models/collage/ready",
        "/v2/models/collage/versions/1/ready", "/metrics", "/livez", "/readyz"}) {
    EXPECT_EQ(status_of_route("GET", path), 200) << path;
    EXPECT_EQ(status_of_route("HEAD", path), 200) << path;
    EXPECT_EQ(status_of_route("POST", path), 405) << path;
    EXPECT_EQ(allowed_methods(path), "GET, HEAD") << path;
  }
  for (const char* path :
       {"/v1/classify", "/v2/models/collage/infer", "/v2/models/collage/versions/1/infer"}) {
    EXPECT_EQ(status_of_route("POST", path), 200) << path;
    EXPECT_EQ(status_of_route("GET", path), 405) << path;
    EXPECT_EQ(allowed_methods(path), "POST") << path;
  }
  for (const char* path : {"/", "", "/v1", "/v2/models/other", "/v2/models/collage/versions/2",
                           "/v2/models/collage/versions/12/infer", "/v1/classify/x"}) {
    EXPECT_EQ(status_of_route("GET", path), 404) << path;
    EXPECT_EQ(allowed_methods(path), "") << path;
  }
}

}  // namespace
}  // namespace gateway
