// The gateway over real sockets, with a broker that the test plays on loopback.
#include "gateway/door/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/config/config_error.h"
#include "tests/failing_accept.h"
#include "tests/gateway/door_fixture.h"

namespace {

// What the next eventfd fails with; 0 for nothing.
std::atomic<int> g_eventfd_error = 0;

}  // namespace

// In place of the C library's, as accept4 (tests/failing_accept.h).
extern "C" int eventfd(unsigned count, int flags) {
  if (g_eventfd_error != 0) {
    errno = g_eventfd_error.exchange(0);
    return -1;
  }
  return static_cast<int>(::syscall(SYS_eventfd2, count, flags));
}

namespace gateway {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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

TEST_F(DoorTest, AnAcceptThatFailsDoesNotEndTheDoor) {
  start();
  tests::g_accept_port = policy_.port;
  for (const int error : {ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EINVAL}) {
    tests::g_accept_error = error;
    EXPECT_EQ(request("GET", "/livez"), "alive\n") << error;
    EXPECT_EQ(tests::g_accept_error, 0);
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

// 200 for the response does not say that all its images were answered.
TEST_F(DoorTest, ARequestWithAKeyIsRememberedByItsImagesAndNotByItsStatus) {
  start();
  const auto infer = [this](const std::string& key, const std::string& images) {
    return status_of(
        response(text("POST", "/v2/models/collage/infer", "Idempotency-Key: " + key + "\r\n",
                      R"({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [2],
                          "data": [)" +
                          images + "]}]}")));
  };
  const std::string overloaded = R"("cGljdHVyZQ==", "b3ZlcmxvYWRlZA==")";
  EXPECT_EQ(infer("a", overloaded), 200);
  EXPECT_EQ(infer("a", overloaded), 200);
  EXPECT_EQ(submits_, 4);
  const std::string not_an_image = R"("cGljdHVyZQ==", "bm90X2FuX2ltYWdl")";
  EXPECT_EQ(infer("b", not_an_image), 200);
  EXPECT_EQ(infer("b", not_an_image), 200);
  EXPECT_EQ(submits_, 6);
  const std::string list = R"({"images": ["cGljdHVyZQ==", "bm90X2FuX2ltYWdl"]})";
  const std::string mixed = text("POST", "/v1/classify",
                                 "Content-Type: application/json\r\nIdempotency-Key: c\r\n", list);
  EXPECT_EQ(status_of(response(mixed)), 207);
  EXPECT_EQ(status_of(response(mixed)), 207);
  EXPECT_EQ(submits_, 8);
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
  await([this] { return request("GET", "/readyz") != ready(); });
  EXPECT_EQ(status_of(classify("picture")), 503);
  // A broker that had the image would have said by now that it is missing, so there is none.
  const std::string got = busy.read();
  EXPECT_EQ(status_of(got), 503) << got;
  EXPECT_EQ(json::parse(body_of(got))["reason"], "no_broker");
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
          return policy;
        }()) {}

  static std::string announce(int bytes) {
    return text("POST", "/v1/classify",
                "Content-Type: image/png\r\nContent-Length: " + std::to_string(bytes) +
                    "\r\nExpect: 100-continue\r\n");
  }
  // Requests of 100 bytes with an image that the broker does not answer.  Their deadline is later
  // than any test takes.
  static std::string silent(const std::string& type, const std::string& body) {
    return text("POST", "/v1/classify",
                "X-Collage-Deadline-Ms: 60000\r\nContent-Type: " + type + "\r\n", body);
  }
  static std::string silent_form() {
    const std::string part =
        "\r\n--b\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\nsilent\r\n--b--";
    return silent("multipart/form-data; boundary=b", std::string(100 - part.size(), 'x') + part);
  }
  static std::string silent_json() {
    const std::string image = R"({"image": "c2lsZW50"})";
    return silent("application/json", image + std::string(100 - image.size(), ' '));
  }
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
  const std::string body(80, 'x');
  HttpClient late = connect();
  late.send(announce(80));
  EXPECT_THAT(late.read(), StartsWith("HTTP/1.1 100"));
  HttpClient first = connect();
  first.send(silent_form());
  await([this] { return submits_ > 0; });
  // While that image is open there is room for 50 bytes: for a body whose length is known, for one
  // whose length is not, and for one that was asked to come while there was room.
  EXPECT_EQ(status_of(classify(body)), 429);
  const std::string chunked =
      text("POST", "/v1/classify", "Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n");
  EXPECT_EQ(status_of(response(chunked + "50\r\n" + body + "\r\n0\r\n\r\n")), 429);
  late.send(body);
  const std::string got = late.read();
  EXPECT_EQ(status_of(got), 429) << got;
  EXPECT_EQ(json::parse(body_of(got))["reason"], "full");
  EXPECT_TRUE(late.ended());  // What it still sends is read by nobody.
  EXPECT_EQ(status_of(classify(std::string(50, 'x'))), 200);
}

TEST_F(SmallDoor, BodiesThatWereOnlyAnnouncedTakeNoRoom) {
  start();
  std::vector<HttpClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(connect());
    clients.back().send(announce(100));
    EXPECT_THAT(clients.back().read(), StartsWith("HTTP/1.1 100"));
  }
  EXPECT_EQ(status_of(classify("picture")), 200);
}

// An image that is withdrawn stays in memory until the broker has said what became of it: as a part
// of the body, or decoded out of it.
TEST_F(SmallDoor, BytesOfAWithdrawnBodyCountAsLongAsTheyAreHeld) {
  cancels_wait_ = true;
  start();
  const std::string body(80, 'x');
  int gone = 0;
  for (const std::string& request : {silent_form(), silent_json()}) {
    const int submits = submits_;
    {
      HttpClient client = connect();
      client.send(request);
      await([&] { return submits_ > submits; });
    }
    ++gone;
    await([&] { return cancels_ == gone; });
    await([&] { return figure("collage_http_clients_gone_total") == gone; });
    EXPECT_EQ(status_of(classify(body)), 429) << request;
    EXPECT_EQ(status_of(classify("picture")), 200) << request;  // Behind the answer to the Cancel.
    EXPECT_EQ(status_of(classify(body)), 200) << request;
  }
}

class ImpatientDoor : public DoorTest {
 protected:
  ImpatientDoor()
      : DoorTest([] {
          Policy policy;
          policy.request_timeout = 300ms;
          policy.idle_timeout = 300ms;
          return policy;
        }()) {}
};

TEST_F(ImpatientDoor, SlowAndIdleConnectionsAreEnded) {
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

TEST_F(DoorTest, ARequestForWhichThereIsNoDescriptorMayBeTriedAgain) {
  start();
  g_eventfd_error = EMFILE;
  const std::string got = classify("picture", "Idempotency-Key: one\r\n");
  EXPECT_EQ(status_of(got), 503) << got;
  EXPECT_EQ(json::parse(body_of(got))["reason"], "no_descriptors");
  EXPECT_THAT(got, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(status_of(classify("picture", "Idempotency-Key: one\r\n")), 200);
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
