#include "runtime/service/http.h"

#include <gmock/gmock.h>
#include <httplib.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "tests/failing_accept.h"
#include "tests/raw_client.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::RawClient;

class HttpTest : public testing::Test {
 protected:
  HttpServer::Options options() {
    return {.address = "127.0.0.1",
            .port = 0,
            .report = [this] { return report; },
            .pages = {{"/", "text/html", [this] { return page; }}},
            .about = [this] { return about; }};
  }
  httplib::Result get(const std::string& path) {
    return httplib::Client("127.0.0.1", server.port()).Get(path);
  }

  std::optional<machine::Telemetry> report{std::in_place};
  std::optional<std::string> page = "<p>hello</p>";
  std::optional<std::string> about = "";
  HttpServer server{options()};
};

TEST_F(HttpTest, ServesFiguresInPrometheusFormat) {
  report->counter("collage_hedges_total", "Second tasks.", 12);
  const auto got = get("/metrics");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(got->body, HasSubstr("\ncollage_hedges_total 12\n"));
  EXPECT_THAT(got->body, HasSubstr("\ncollage_build_info{version=\""));
  EXPECT_THAT(got->body, HasSubstr("\ncollage_ready 1\n"));
}

TEST_F(HttpTest, IsReadyWhenNothingIsMissing) {
  const auto got = get("/readyz");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "ready\n");
}

TEST_F(HttpTest, SaysMoreOfAProcessThatIsReady) {
  about = "images go to tcp://a:5570";
  EXPECT_EQ(get("/readyz")->body, "ready\nimages go to tcp://a:5570\n");
  report->not_ready_reasons = {"no broker"};
  EXPECT_EQ(get("/readyz")->body, "no broker\n");
  report->not_ready_reasons.clear();
  about.reset();  // Its loop is blocked.
  EXPECT_EQ(get("/readyz")->status, 503);
}

TEST_F(HttpTest, ListsWhatIsMissingUntilItIsReady) {
  report->not_ready_reasons = {"no sink", "no classifier"};
  const auto got = get("/readyz");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 503);
  EXPECT_EQ(got->body, "no sink\nno classifier\n");
  EXPECT_THAT(get("/metrics")->body, HasSubstr("\ncollage_ready 0\n"));
  EXPECT_EQ(get("/livez")->status, 200);
}

TEST_F(HttpTest, IsNotAliveWhileALoopIsBlocked) {
  report.reset();
  EXPECT_EQ(get("/livez")->status, 503);
  EXPECT_EQ(get("/readyz")->status, 503);
  EXPECT_EQ(get("/metrics")->status, 503);
}

TEST_F(HttpTest, ServesAPageThatMayTalkToItsOwnServerOnly) {
  const auto got = get("/");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->body, "<p>hello</p>");
  EXPECT_EQ(got->get_header_value("Content-Type"), "text/html");
  EXPECT_THAT(got->get_header_value("Content-Security-Policy"), HasSubstr("default-src 'none'"));
}

TEST_F(HttpTest, APageIsUnavailableWhileItsLoopIsBlocked) {
  page.reset();
  EXPECT_EQ(get("/")->status, 503);
}

TEST_F(HttpTest, SendsAPageWholeWhateverRangesAreAskedFor) {
  page = std::string(10'000, 'x');
  std::string ranges = "bytes=0-9999";
  for (int i = 0; i < 500; ++i) ranges += ",0-9999";
  for (const std::string& range : {std::string("bytes=5-9"), ranges}) {
    const auto got =
        httplib::Client("127.0.0.1", server.port()).Get("/", httplib::Headers{{"Range", range}});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(got->body.size(), 10'000u);
  }
}

TEST_F(HttpTest, AHeadWithoutAnEndIsEndedAndTakesNoMemory) {
  const RawClient client(server.port());
  const auto resident = [this] {
    const std::string page_of_figures = get("/metrics")->body,
                      name = "\nprocess_resident_memory_bytes ";
    return std::stod(page_of_figures.substr(page_of_figures.find(name) + name.size()));
  };
  // One line for all: the address sanitizer keeps what is freed, which would count, too.
  const std::string line = "X-Long: " + std::string(1000, 'x') + "\r\n";
  const double before = resident();
  const wire::Instant begin = now();
  ASSERT_TRUE(client.send("GET /livez HTTP/1.1\r\n"));
  std::size_t sent = 0;
  while (client.send(line) && now() - begin < 20s) sent += line.size();
  EXPECT_LT(now() - begin, 10s);
  EXPECT_GT(sent, 16u << 10);
  EXPECT_LT(resident() - before, 8 << 20);
  EXPECT_THAT(get("/metrics")->body,
              HasSubstr("\ncollage_http_visitors_ended_total{reason=\"too_long\"} 1\n"));
}

TEST_F(HttpTest, AByteNowAndThenDoesNotKeepAConnection) {
  const RawClient client(server.port());
  const wire::Instant begin = now();
  while (client.send("G") && !client.stirs(100) && now() - begin < 20s) continue;
  EXPECT_LT(now() - begin, 8s);
  EXPECT_THAT(get("/metrics")->body,
              HasSubstr("\ncollage_http_visitors_ended_total{reason=\"too_slow\"} 1\n"));
}

TEST_F(HttpTest, ConnectionsThatSayNothingHoldUpNobodyUpToTheBound) {
  std::vector<RawClient> silent;
  for (int i = 0; i < 40; ++i) silent.emplace_back(server.port());
  const wire::Instant begin = now();
  EXPECT_EQ(get("/livez")->status, 200);
  EXPECT_LT(now() - begin, 5s);  // Each may be silent for a second.
  for (int i = 0; i < 80; ++i) silent.emplace_back(server.port());
  for (const RawClient& client : silent) EXPECT_EQ(client.rest(), "");
  EXPECT_THAT(get("/metrics")->body,
              testing::ContainsRegex("visitors_ended_total.reason=\"too_many\". [1-9]"));
}

TEST_F(HttpTest, AnAcceptThatFailsDoesNotEndTheServer) {
  tests::g_accept_port = server.port();
  for (const int error : {ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EINVAL}) {
    tests::g_accept_error = error;
    const auto got = get("/livez");
    ASSERT_TRUE(got) << error;
    EXPECT_EQ(got->body, "alive\n") << error;
    EXPECT_EQ(tests::g_accept_error, 0);
  }
}

TEST_F(HttpTest, HasNoOtherPages) {
  EXPECT_EQ(get("/etc/passwd")->status, 404);
  EXPECT_EQ(httplib::Client("127.0.0.1", server.port()).Post("/metrics", "x", "text/plain")->status,
            404);
}

TEST_F(HttpTest, APortThatIsTakenIsAnError) {
  HttpServer::Options again = options();
  again.port = server.port();
  try {
    HttpServer second(std::move(again));
    FAIL() << "took the port of another";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("http://127.0.0.1:" + std::to_string(server.port())));
  }
}

}  // namespace
}  // namespace runtime
