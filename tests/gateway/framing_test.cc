// Where a request ends, also if its sender would like it to end elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <new>

#include "gateway/door/codec.h"
#include "runtime/service/client_stream.h"
#include "tests/gateway/door_fixture.h"

namespace gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

class FramingTest : public DoorTest {};

TEST_F(FramingTest, RequestsThatCouldHideAnotherEndTheConnection) {
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

TEST_F(FramingTest, ChunksThatAreNotWellFormedEndTheConnection) {
  start();
  const std::string head =
      text("POST", "/v1/classify", "Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n");
  const std::string end = "0\r\n\r\n", long_text(9000, 'x');
  const std::vector<std::string> wrong = {"1\r\nxZZ\r\n" + text("GET", "/livez"),
                                          "1\r\nx0\r\n\r\n",
                                          "1\r\nx\n" + end,
                                          "1\nx\r\n" + end,
                                          "1;a\rb\r\nx\r\n" + end,
                                          "0x1\r\nx\r\n" + end,
                                          "1junk\r\nx\r\n" + end,
                                          " 1\r\nx\r\n" + end,
                                          "+1\r\nx\r\n" + end,
                                          "-1\r\nx\r\n" + end,
                                          "\r\nx\r\n" + end,
                                          ";a\r\nx\r\n" + end,
                                          "10000000000000001\r\nx\r\n" + end,
                                          "1;" + long_text + "\r\nx\r\n" + end,
                                          "1\r\nx\r\n0\r\nA: " + long_text + "\r\n\r\n",
                                          "1\r\nx\r\n0\r\nA: b\n\r\n"};
  for (const std::string& body : wrong) {
    HttpClient client = connect();
    client.send(head + body);
    const std::string got = client.read();
    EXPECT_EQ(status_of(got), 400) << body.substr(0, 40) << got;
    EXPECT_THAT(got, HasSubstr("\r\nConnection: close\r\n")) << body.substr(0, 40);
    EXPECT_EQ(client.read(), "") << body.substr(0, 40);
  }
  EXPECT_EQ(submits_, 0);
}

TEST_F(FramingTest, ChunkedAndPipelinedRequestsAreRead) {
  start();
  HttpClient client = connect();
  const std::string chunked =
      text("POST", "/v1/classify", "Transfer-Encoding: chunked\r\nContent-Type: image/png\r\n") +
      "7\r\nnot_an_\r\n0005 ;x=y\r\nimage\r\n0\r\nTrailer: x\r\nAnother:\r\n\r\n";
  client.send(chunked + text("GET", "/livez") + text("HEAD", "/readyz"));
  EXPECT_EQ(status_of(client.read()), 415);
  EXPECT_THAT(client.read(), HasSubstr("alive\n"));
  client.send(text("GET", "/v2/health/live", "Connection: close\r\n"));
  // HEAD has the length of a body, but no body, so both responses are read as one.
  const std::string rest = client.read() + client.read();
  EXPECT_THAT(rest, HasSubstr("Content-Length: " + std::to_string(ready().size())));
  EXPECT_THAT(rest, Not(HasSubstr("ready\n")));
  EXPECT_THAT(rest, HasSubstr(R"({"live":true})"));
  EXPECT_TRUE(client.ended());
}

TEST_F(FramingTest, RangesAreIgnored) {
  start();
  std::string ranges = "Range: bytes=0-";
  while (ranges.size() < 8000) ranges += ",0-";
  for (const std::string& range :
       {ranges, "X: a\n" + ranges, std::string("X: a\nRange: bytes=1-2"),
        std::string("Range: bytes=1-2"), std::string("Range: bytes=900-901"),
        std::string("Range: bytes=-1"), std::string("Range: bytes=0-1,5-2")}) {
    const std::string got =
        response(text("GET", "/livez", range + "\r\nAccept-Encoding: gzip, br\r\n"));
    EXPECT_EQ(status_of(got), 200) << got;
    EXPECT_EQ(body_of(got), "alive\n");
  }
}

TEST_F(FramingTest, AHeadWhoseLastLineEndsInALineFeedAloneIsWhole) {
  start();
  EXPECT_EQ(body_of(response("GET /livez HTTP/1.1\r\nX: y\n\r\n")), "alive\n");
}

TEST(Codec, AnExceptionEndsTheConnection) {
  std::array<int, 2> sockets{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()), 0);
  const runtime::EventFd stopping;
  const Policy policy;
  ByteBudget budget(1000);
  ClientStream stream(sockets[0], stopping.descriptor());
  Codec codec(stream, policy, budget,
              [](const Request&) -> std::optional<Response> { throw std::bad_alloc(); });
  const std::string text = "POST /v1/classify HTTP/1.1\r\nContent-Length: 1\r\n\r\nx";
  ASSERT_EQ(::send(sockets[1], text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  ASSERT_TRUE(stream.wait(10s));
  EXPECT_EQ(codec.serve_one(), 500);
  EXPECT_TRUE(codec.over());
  EXPECT_TRUE(codec.unread());
  std::array<char, 4096> got{};
  const ssize_t size = ::recv(sockets[1], got.data(), got.size(), MSG_DONTWAIT);
  ASSERT_GT(size, 0);
  EXPECT_THAT(std::string(got.data(), static_cast<std::size_t>(size)),
              HasSubstr("\r\nConnection: close\r\n"));
  ::close(sockets[1]);
}

}  // namespace
}  // namespace gateway
