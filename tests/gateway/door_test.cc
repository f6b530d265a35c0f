// The gateway over real sockets, with a broker that the test plays on loopback.
#include "gateway/door/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>

#include "gateway/gateway.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/random_id.h"
#include "runtime/service/service.h"
#include "tests/gateway/http_client.h"
#include "tests/library/played_broker.h"

namespace gateway {
namespace {

using namespace std::chrono_literals;
using library_test::PlayedBroker;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

wire::Welcome welcome() {
  return {.epoch = {.value = 7},
          .heartbeat = 200ms,
          .credit = 256,
          .image_bytes_max = 1000,
          .deadline_max = 60s};
}

// Answers by what an image says: "missing", or the name of a reason; anything else is a coat.
wire::Result result_of(const wire::Submit& submit) {
  const auto bytes = submit.image.bytes();
  const std::string text(bytes.begin(), bytes.end());
  wire::Result result = library_test::answer(submit.request);
  result.source = wire::Source::single;
  for (int number = 0; number < 256; ++number) {
    const auto reason = wire::reason_from(static_cast<std::uint64_t>(number));
    if (!reason || *reason == wire::Reason::none || to_string(*reason) != text) continue;
    result = {.request = submit.request,
              .status = number < 16 ? wire::ResultStatus::rejected : wire::ResultStatus::refused,
              .reason = *reason,
              .retry_after = 1500ms,
              .predictions = {},
              .version = {}};
  }
  if (text == "missing") {
    result = {.request = submit.request,
              .status = wire::ResultStatus::missing,
              .predictions = {},
              .version = {}};
  }
  return result;
}

class DoorTest : public testing::Test {
 protected:
  explicit DoorTest(Policy policy = {}) : policy_(std::move(policy)) { policy_.port = 0; }
  ~DoorTest() override { stop(); }

  // "silent" images are not answered at all.
  std::vector<wire::Message> on_message(const wire::Message& message) {
    if (std::holds_alternative<wire::ProducerHello>(message)) return {welcome()};
    if (const auto* cancel = std::get_if<wire::Cancel>(&message)) {
      ++cancels_;
      wire::Result result;
      result.request = cancel->request;
      result.status = wire::ResultStatus::cancelled;
      return {result};
    }
    const auto* submit = std::get_if<wire::Submit>(&message);
    if (submit == nullptr) return {};
    ++submits_;
    last_priority_ = submit->priority;
    const auto bytes = submit->image.bytes();
    if (std::string(bytes.begin(), bytes.end()) == "silent") return {};
    return {result_of(*submit)};
  }

  void start(bool with_broker = true) {
    if (with_broker) {
      broker_.emplace([this](const wire::Message& message) { return on_message(message); });
    }
    gateway_.emplace(policy_, runtime::random_long_id<wire::ProducerId>());
    loop_.emplace(context_,
                  std::vector<runtime::Link>{runtime::connected_dealer(
                      with_broker ? broker_->endpoint() : "tcp://127.0.0.1:1", 0)},
                  *gateway_, runtime::Loop::Runner{}, runtime::Loop::Options{});
    door_.emplace(policy_, *gateway_, *loop_, [this]() -> std::optional<machine::Telemetry> {
      machine::Telemetry report;
      if (!loop_->call_on_loop([&] { report = loop_->telemetry(); }, 2s)) return std::nullopt;
      return report;
    });
    policy_.port = door_->port();
    gateway_->add_metrics([this](machine::Telemetry& more) { door_->figures().add_to(more); });
    running_ = std::thread([this] { loop_->run(); });
    if (with_broker) await([this] { return request("GET", "/readyz") == "ready\n"; });
  }
  void stop() {
    if (!running_.joinable()) return;
    loop_->stop();
    running_.join();
    loop_->close_calls();
    door_.reset();
  }

  // Waits for what other threads do; fails the test after ten seconds.
  void await(const std::function<bool()>& holds) {
    const wire::Instant end = runtime::now() + 10s;
    while (!holds()) {
      ASSERT_LT(runtime::now(), end);
      std::this_thread::yield();
    }
  }

  HttpClient connect() const { return HttpClient(policy_.port); }
  static std::string text(const std::string& method, const std::string& path,
                          const std::string& headers = "", const std::string& body = "") {
    return method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + headers +
           (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
           "\r\n" + body;
  }
  // The whole response to one request on a connection of its own.
  std::string response(const std::string& request_text) const {
    HttpClient client = connect();
    client.send(request_text);
    return client.read();
  }
  std::string request(const std::string& method, const std::string& path) const {
    return std::string(body_of(response(text(method, path))));
  }
  std::string classify(const std::string& image, const std::string& headers = "") const {
    return response(text("POST", "/v1/classify", "Content-Type: image/png\r\n" + headers, image));
  }
  double figure(const std::string& name) const {
    const std::string page = "\n" + request("GET", "/metrics");
    const std::size_t at = page.find("\n" + name + " ");
    return at == page.npos ? -1 : std::stod(page.substr(at + name.size() + 2));
  }

  Policy policy_;
  std::atomic<int> submits_ = 0, cancels_ = 0;
  std::atomic<wire::Priority> last_priority_ = wire::Priority::normal;
  std::optional<PlayedBroker> broker_;
  runtime::Context context_;
  std::optional<Gateway> gateway_;
  std::optional<runtime::Loop> loop_;
  std::optional<Door> door_;
  std::thread running_;
};

TEST_F(DoorTest, AnImageIsAnsweredWithItsHeaders) {
  start();
  const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const std::string got =
      classify("picture", "X-Collage-Priority: high\r\ntraceparent: " + traceparent + "\r\n");
  EXPECT_EQ(status_of(got), 200) << got;
  EXPECT_EQ(json::parse(body_of(got))["class"], "coat");
  EXPECT_EQ(last_priority_, wire::Priority::high);
  for (const std::string header : {"X-Collage-Source: single", "X-Collage-Model: collage-1",
                                   "X-Collage-Latency-Ms: 3.000", "Server-Timing: receive;dur=",
                                   "Content-Type: application/json", "Cache-Control: no-store"}) {
    EXPECT_THAT(got, HasSubstr("\r\n" + header)) << header;
  }
  EXPECT_THAT(got, HasSubstr("\r\ntraceparent: " + traceparent + "\r\n"));
}

TEST_F(DoorTest, EveryEndHasItsStatus) {
  start();
  const std::vector<std::pair<std::string, int>> ends = {{"missing", 504},
                                                         {"not_an_image", 415},
                                                         {"unsupported_image", 415},
                                                         {"truncated_image", 422},
                                                         {"bad_scores", 422},
                                                         {"too_many_pixels", 413},
                                                         {"image_too_large", 413},
                                                         {"overloaded", 429},
                                                         {"full", 429},
                                                         {std::string(1001, 'x'), 413}};
  for (const auto& [image, status] : ends) {
    const std::string got = classify(image);
    EXPECT_EQ(status_of(got), status) << image << got;
    EXPECT_THAT(got, HasSubstr("\r\nContent-Type: application/problem+json\r\n")) << image;
    const json problem = json::parse(body_of(got));
    EXPECT_EQ(problem["status"], status);
    EXPECT_EQ(got.find("\r\nRetry-After: 2\r\n") != got.npos, status == 429) << got;
  }
  // A broker that only drains is waited for, up to the deadline.
  const std::string got = classify("draining", "X-Collage-Deadline-Ms: 100\r\n");
  EXPECT_EQ(status_of(got), 503) << got;
  EXPECT_THAT(got, HasSubstr("\r\nRetry-After: "));
}

TEST_F(DoorTest, SeveralImagesHaveAStatusEach) {
  start();
  const std::string got =
      response(text("POST", "/v1/classify", "Content-Type: application/json\r\n",
                    R"({"images": ["cGljdHVyZQ==", "bm90X2FuX2ltYWdl", "bWlzc2luZw=="]})"));
  EXPECT_EQ(status_of(got), 207) << got;
  std::vector<int> statuses;
  for (const json& one : json::parse(body_of(got))) statuses.push_back(one["status"]);
  EXPECT_THAT(statuses, ElementsAre(200, 415, 504));
}

TEST_F(DoorTest, RequestsThatAreWrongAreRefusedAndTheConnectionLivesOn) {
  start();
  HttpClient client = connect();
  const std::vector<std::pair<std::string, int>> wrong = {
      {text("GET", "/nothing"), 404},
      {text("GET", "/v1/classify"), 405},
      {text("POST", "/v1/classify"), 415},
      {text("POST", "/v1/classify", "Content-Type: image/png\r\n"), 400},
      {text("POST", "/v1/classify", "Content-Type: text/plain\r\n", "text"), 415},
      {text("POST", "/v1/classify", "Content-Type: application/json\r\n", "{"), 400},
      {text("POST", "/v1/classify", "Content-Type: multipart/form-data\r\n", "x"), 400},
      {text("POST", "/v1/classify", "Content-Type: image/png\r\nX-Collage-Priority: x\r\n", "x"),
       400},
      {text("POST", "/v2/models/collage/infer", "", "{}"), 400}};
  for (const auto& [request, status] : wrong) {
    client.send(request);
    const std::string got = client.read();
    EXPECT_EQ(status_of(got), status) << request << got;
    EXPECT_THAT(got, Not(HasSubstr("Connection: close"))) << request;
  }
  EXPECT_EQ(submits_, 0);
}

TEST_F(DoorTest, RequestsThatCouldHideAnotherEndTheConnection) {
  start();
  const std::vector<std::pair<std::string, int>> wrong = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/9.9\r\n\r\n", 400},
      {"GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n\r\n", 414},
      {"GET /livez HTTP/1.1\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n", 400},
      {"GET /livez HTTP/1.1\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n", 431},
      {text("POST", "/v1/classify", "Content-Length: -1\r\n"), 400},
      {text("POST", "/v1/classify", "Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {text("POST", "/v1/classify", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {text("POST", "/v1/classify", "Content-Encoding: gzip\r\n", "zipped"), 415},
      {text("POST", "/nothing", "", "body"), 404},
      {text("PUT", "/v1/classify", "", "body"), 405},
      {text("GET", "/livez", "", "body"), 200},
      {text("POST", "/v1/classify", "Transfer-Encoding: chunked\r\nContent-Type: image/png\r\n") +
           "zz\r\n",
       400}};
  for (const auto& [request, status] : wrong) {
    HttpClient client = connect();
    client.send(request);
    const std::string got = client.read();
    EXPECT_EQ(status_of(got), status) << request.substr(0, 80) << got;
    EXPECT_THAT(got, HasSubstr("\r\nConnection: close\r\n")) << request.substr(0, 80);
    EXPECT_TRUE(client.ended()) << request.substr(0, 80);
  }
  std::string many = "GET /livez HTTP/1.1\r\n";
  for (int i = 0; i < 20'000; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_of(response(many + "\r\n")), 431);
  EXPECT_EQ(submits_, 0);
}

TEST_F(DoorTest, ChunkedAndPipelinedRequestsAreRead) {
  start();
  HttpClient client = connect();
  const std::string chunked =
      text("POST", "/v1/classify", "Transfer-Encoding: chunked\r\nContent-Type: image/png\r\n") +
      "7\r\nnot_an_\r\n5;x=y\r\nimage\r\n0\r\n\r\n";
  client.send(chunked + text("GET", "/livez") + text("HEAD", "/readyz"));
  EXPECT_EQ(status_of(client.read()), 415);
  EXPECT_THAT(client.read(), HasSubstr("alive\n"));
  client.send(text("GET", "/v2/health/live", "Connection: close\r\n"));
  // HEAD has the length of a body, but no body, so both responses are read as one.
  const std::string rest = client.read() + client.read();
  EXPECT_THAT(rest, HasSubstr("Content-Length: 6"));
  EXPECT_THAT(rest, Not(HasSubstr("ready\n")));
  EXPECT_THAT(rest, HasSubstr(R"({"live":true})"));
  EXPECT_TRUE(client.ended());
}

TEST_F(DoorTest, RangesAreIgnored) {
  start();
  std::string ranges = "Range: bytes=0-";
  while (ranges.size() < 8000) ranges += ",0-";
  for (const std::string& range :
       {ranges, std::string("Range: bytes=1-2"), std::string("Range: bytes=900-901"),
        std::string("Range: bytes=-1"), std::string("Range: bytes=0-1,5-2")}) {
    const std::string got =
        response(text("GET", "/livez", range + "\r\nAccept-Encoding: gzip, br\r\n"));
    EXPECT_EQ(status_of(got), 200) << got;
    EXPECT_EQ(body_of(got), "alive\n");
  }
}

TEST_F(DoorTest, AClientThatGoesCancelsItsImages) {
  start();
  {
    HttpClient client = connect();
    client.send(text("POST", "/v1/classify", "Content-Type: image/png\r\n", "silent"));
    await([this] { return submits_ == 1; });
  }
  await([this] { return cancels_ == 1; });
  await([this] { return figure("collage_http_clients_gone_total") == 1; });
  EXPECT_EQ(figure("collage_gateway_withdrawn_total"), 1);
  EXPECT_EQ(figure("collage_gateway_open_images"), 0);
}

TEST_F(DoorTest, ARequestWithAKeyIsAnsweredOnce) {
  start();
  const std::string first = classify("picture", "Idempotency-Key: k\r\n");
  const std::string again = classify("picture", "Idempotency-Key: k\r\n");
  EXPECT_EQ(status_of(again), 200);
  EXPECT_EQ(body_of(first), body_of(again));
  EXPECT_EQ(submits_, 1);
  EXPECT_EQ(status_of(classify("another", "Idempotency-Key: k\r\n")), 422);
  // What was refused for now is not remembered.
  EXPECT_EQ(status_of(classify("overloaded", "Idempotency-Key: r\r\n")), 429);
  EXPECT_EQ(status_of(classify("overloaded", "Idempotency-Key: r\r\n")), 429);
  EXPECT_EQ(submits_, 3);
}

TEST_F(DoorTest, MetricsCountResponsesAndPagesAnswer) {
  start();
  classify("picture");
  classify("missing");
  EXPECT_EQ(figure("collage_http_responses_total{status=\"504\"}"), 1);
  EXPECT_EQ(figure("collage_gateway_images_total{status=\"200\"}"), 1);
  EXPECT_EQ(figure("collage_ready"), 1);
  EXPECT_GE(figure("collage_http_connections"), 1);
  EXPECT_EQ(json::parse(request("GET", "/v2"))["name"], "collage");
  EXPECT_EQ(json::parse(request("GET", "/v2/models/collage"))["platform"], "collage");
  EXPECT_EQ(request("GET", "/v2/health/ready"), R"({"ready":true})");
}

TEST_F(DoorTest, FiveHundredConnectionsAreServedAtOnce) {
  start();
  std::vector<HttpClient> clients;
  for (int i = 0; i < 500; ++i) clients.push_back(connect());
  for (HttpClient& client : clients) {
    client.send(text("POST", "/v1/classify", "Content-Type: image/png\r\n", "picture"));
  }
  int answered = 0;
  for (HttpClient& client : clients) answered += status_of(client.read()) == 200;
  EXPECT_EQ(answered, 500);
  EXPECT_EQ(submits_, 500);
}

TEST_F(DoorTest, AnAnswerThatIsAwaitedComesBeforeTheEnd) {
  start();
  HttpClient idle = connect();
  HttpClient busy = connect();
  busy.send(text("POST", "/v1/classify",
                 "Content-Type: image/png\r\nX-Collage-Deadline-Ms: 300\r\n", "silent"));
  await([this] { return submits_ == 1; });
  loop_->stop();  // As SIGTERM does.
  await([this] { return request("GET", "/readyz") != "ready\n"; });
  EXPECT_EQ(status_of(classify("picture")), 503);
  EXPECT_EQ(status_of(busy.read()), 504);
  running_.join();
  loop_->close_calls();
  door_.reset();
  EXPECT_TRUE(idle.ended());
}

class DoorWithoutBroker : public DoorTest {
 protected:
  DoorWithoutBroker()
      : DoorTest([] {
          Policy policy;
          policy.broker_wait = 50ms;
          return policy;
        }()) {}
};

TEST_F(DoorWithoutBroker, RequestsEndWith503) {
  start(false);
  const std::string got = classify("picture");
  EXPECT_EQ(status_of(got), 503) << got;
  EXPECT_EQ(json::parse(body_of(got))["reason"], "no_broker");
  EXPECT_THAT(got, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_EQ(request("GET", "/readyz"), "no broker\n");
  EXPECT_EQ(request("GET", "/livez"), "alive\n");
  EXPECT_EQ(status_of(response(text("GET", "/v2/models/collage/ready"))), 503);
}

class SmallDoor : public DoorTest {
 protected:
  SmallDoor()
      : DoorTest([] {
          Policy policy;
          policy.body_bytes_max = 100;
          policy.open_bytes_max = 150;
          policy.request_timeout = 300ms;
          policy.idle_timeout = 300ms;
          return policy;
        }()) {}
};

TEST_F(SmallDoor, BodiesAreBoundedBeforeTheyAreRead) {
  start();
  for (const std::string length : {"Content-Length: 101", "Content-Length: 9000000000"}) {
    const std::string got = response("POST /v1/classify HTTP/1.1\r\nContent-Type: image/png\r\n" +
                                     length + "\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(status_of(got), 413) << got;
    EXPECT_EQ(json::parse(body_of(got))["reason"], "body_too_large");
  }
  const std::string chunk = "64\r\n" + std::string(100, 'x') + "\r\n";
  const std::string head =
      text("POST", "/v1/classify", "Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n");
  EXPECT_EQ(status_of(response(head + chunk + "0\r\n\r\n")), 200);
  EXPECT_EQ(status_of(response(head + chunk + chunk)), 413);
  EXPECT_EQ(status_of(response(head + "ffffffffffff\r\n" + std::string(200, 'x'))), 413);
  EXPECT_EQ(submits_, 1);
}

TEST_F(SmallDoor, ACleanClientIsAskedToContinue) {
  start();
  HttpClient client = connect();
  client.send(text("POST", "/v1/classify",
                   "Content-Type: image/png\r\nContent-Length: 7\r\nExpect: 100-continue\r\n"));
  EXPECT_THAT(client.read(), StartsWith("HTTP/1.1 100"));
  client.send("picture");
  EXPECT_EQ(status_of(client.read()), 200);
}

TEST_F(SmallDoor, BytesOfAllBodiesTogetherAreBounded) {
  start();
  HttpClient first = connect();
  first.send(
      "POST /v1/classify HTTP/1.1\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\n");
  // The first one's bytes are reserved though they have not come.
  std::set<int> seen;
  for (int i = 0; i < 50 && !seen.contains(429); ++i) {
    seen.insert(status_of(classify(std::string(80, 'x'))));
  }
  EXPECT_TRUE(seen.contains(429));
}

TEST_F(SmallDoor, SlowAndIdleConnectionsAreEnded) {
  start();
  HttpClient idle = connect();
  EXPECT_TRUE(idle.ended());
  HttpClient slow_head = connect();
  slow_head.send("GET /livez HTTP/1.1\r\nX: ");
  EXPECT_EQ(status_of(slow_head.read()), 408);
  EXPECT_TRUE(slow_head.ended());
  HttpClient slow_body = connect();
  slow_body.send("POST /v1/classify HTTP/1.1\r\nContent-Length: 9\r\n\r\nx");
  EXPECT_EQ(status_of(slow_body.read()), 408);
  EXPECT_TRUE(slow_body.ended());
}

TEST_F(SmallDoor, APortThatIsInUseIsAnError) {
  start();
  EXPECT_THROW(Door(policy_, *gateway_, *loop_, [] { return std::nullopt; }), runtime::ConfigError);
}

class NarrowDoor : public DoorTest {
 protected:
  NarrowDoor()
      : DoorTest([] {
          Policy policy;
          policy.connections_max = 3;
          return policy;
        }()) {}
};

TEST_F(NarrowDoor, ConnectionsAboveTheBoundAreRefused) {
  start();
  std::vector<HttpClient> clients;
  // Those of start() may still be open for a moment.
  await([&] {
    clients.push_back(connect());
    clients.back().send(text("GET", "/livez"));
    if (status_of(clients.back().read()) != 200) clients.pop_back();
    return clients.size() == 3;
  });
  HttpClient further = connect();
  const std::string got = further.read();
  EXPECT_EQ(status_of(got), 503) << got;
  EXPECT_EQ(json::parse(body_of(got))["reason"], "too_many_connections");
  clients.pop_back();
  await([this] { return figure("collage_http_connections_refused_total") >= 1; });
}

}  // namespace
}  // namespace gateway
