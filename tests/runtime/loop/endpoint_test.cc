#include "runtime/loop/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/config/config_error.h"
#include "runtime/loop/link.h"
#include "runtime/loop/socket.h"
#include "wire/codec.h"
#include "wire/message.h"

namespace runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Transport = Endpoint::Transport;

std::string wrong(const std::string& text) {
  const auto endpoint = parse_endpoint(text);
  return endpoint ? "nothing" : endpoint.error();
}

TEST(Endpoint, HasAHostAndAPort) {
  EXPECT_EQ(parse_endpoint("tcp://broker.example:5570")->host, "broker.example");
  EXPECT_EQ(parse_endpoint("tcp://broker_1:1")->port, 1);
  EXPECT_EQ(parse_endpoint("tcp://[::1]:65535")->host, "::1");
  EXPECT_EQ(parse_endpoint("tcp://[fe80::1%eth0]:5570")->host, "fe80::1%eth0");
  EXPECT_EQ(parse_endpoint("tcp://*:5570")->host, "*");
  EXPECT_EQ(parse_endpoint("tcp://127.0.0.1:*")->port, 0);
  EXPECT_EQ(parse_endpoint("ipc:///run/collage")->host, "/run/collage");
  EXPECT_EQ(parse_endpoint("ipc://@collage")->transport, Transport::ipc);
  EXPECT_EQ(parse_endpoint("inproc://collage")->transport, Transport::inproc);
}

TEST(Endpoint, WhatIsWrongIsSaidWithWhatToWrite) {
  for (const char* bad :
       {"", "tcp://", "tcp://:1", "tcp://host", "tcp://host:", "tcp://host:65536", "tcp://host:1x",
        "tcp://host:-1", "tcp://ho st:1", "http://host:80", "host:80", "tcp://host:5570/"}) {
    EXPECT_THAT(wrong(bad), AllOf(HasSubstr("'"), HasSubstr("tcp://HOST:PORT"))) << bad;
  }
  EXPECT_THAT(wrong("tcp://::1:5570"), HasSubstr("expected brackets: tcp://[::1]:5570"));
  EXPECT_THAT(wrong("tcp://[x]:5570"), HasSubstr("IPv6 address"));
  EXPECT_THAT(wrong("ipc://run/collage"), HasSubstr("an absolute path"));
  EXPECT_THAT(wrong("ipc:///" + std::string(107, 'x')), HasSubstr("at most 107 bytes"));
}

TEST(Endpoint, AClientNeedsAHostAndAPort) {
  EXPECT_EQ(fault_of_client_endpoint("tcp://localhost:5570"), "");
  EXPECT_EQ(fault_of_client_endpoint("ipc:///run/collage"), "");
  EXPECT_THAT(fault_of_client_endpoint("tcp://*:5570"), HasSubstr("the broker's host, such as "
                                                                  "tcp://127.0.0.1:5570"));
  EXPECT_THAT(fault_of_client_endpoint("tcp://host:0"), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(fault_of_client_endpoint("inproc://x"), HasSubstr("expected tcp://"));
  EXPECT_THROW(to_connect("tcp://*:5570"), ConfigError);
}

TEST(Endpoint, NamesBecomeAddressesToBeBound) {
  EXPECT_EQ(to_bind("tcp://localhost:5570").text, "tcp://127.0.0.1:5570");
  EXPECT_EQ(to_bind("tcp://localhost:0").text, "tcp://127.0.0.1:*");
  EXPECT_EQ(to_bind("tcp://*:5570").text, "tcp://*:5570");
  EXPECT_EQ(to_bind("tcp://lo:5570").text, "tcp://lo:5570") << "libzmq knows interfaces";
  EXPECT_TRUE(to_bind("tcp://[::1]:5570").ipv6);
  EXPECT_FALSE(to_bind("tcp://127.0.0.1:5570").ipv6);
  EXPECT_THROW(to_bind("tcp://no-such-host.invalid:5570"), ConfigError);
}

TEST(Endpoint, NamesStayNamesToBeConnected) {
  EXPECT_EQ(to_connect("tcp://localhost:5570").text, "tcp://localhost:5570");
  EXPECT_FALSE(to_connect("tcp://localhost:5570").ipv6) << "it has an IPv4 address";
  EXPECT_TRUE(to_connect("tcp://[::1]:5570").ipv6);
}

TEST(Endpoint, ANameThatDoesNotResolveIsSaid) {
  EXPECT_THAT(unresolved("tcp://no-such-host.invalid:5570"),
              HasSubstr("the name no-such-host.invalid does not resolve"));
  for (const char* good : {"tcp://localhost:1", "tcp://127.0.0.1:1", "tcp://[::1]:1", "tcp://*:1",
                           "ipc:///x", "inproc://x"}) {
    EXPECT_EQ(unresolved(good), "") << good;
  }
}

TEST(Endpoint, AnAddressOfAnotherHostIsSaid) {
  // TEST-NET-1 (RFC 5737) is nobody's.
  EXPECT_THAT(not_of_this_host("tcp://192.0.2.1:5570"), HasSubstr("not an address of this host"));
  EXPECT_THAT(not_of_this_host("tcp://no-such-host.invalid:1"), HasSubstr("does not resolve"));
  EXPECT_THAT(not_of_this_host("ipc:///no/such/folder/x"), HasSubstr("no folder"));
  for (const char* ours : {"tcp://127.0.0.1:1", "tcp://localhost:1", "tcp://*:1", "inproc://x"}) {
    EXPECT_EQ(not_of_this_host(ours), "") << ours;
  }
}

TEST(Endpoint, WildcardsAreReachedByTheLoopbackAddress) {
  EXPECT_EQ(reached_from_here("tcp://*:5570"), "tcp://127.0.0.1:5570");
  EXPECT_EQ(reached_from_here("tcp://0.0.0.0:5570"), "tcp://127.0.0.1:5570");
  EXPECT_EQ(reached_from_here("tcp://[::]:5570"), "tcp://[::1]:5570");
  EXPECT_EQ(reached_from_here("tcp://broker:5570"), "tcp://broker:5570");
}

// --- sockets ---

bool has_ipv6() { return not_of_this_host("tcp://[::1]:0").empty(); }

std::string port_of(const std::string& endpoint) { return endpoint.substr(endpoint.rfind(':')); }

// Sends a message to what listens at `to` and waits until it has come.
void expect_talk(Context& context, Socket& server, const std::string& to) {
  Socket client(context, {.endpoint = to});
  EXPECT_EQ(client.send(0, wire::encode(wire::StatusRequest{})), Socket::Sent::sent);
  zmq::pollitem_t item{server.handle(), 0, ZMQ_POLLIN, 0};
  EXPECT_EQ(zmq_poll(&item, 1, 10'000), 1) << to;
  Incoming in;
  EXPECT_EQ(server.receive(in), Socket::Received::message);
}

Link bound(const std::string& endpoint) {
  return {.kind = Link::Kind::router, .bind = true, .endpoint = endpoint};
}

TEST(Endpoint, SocketsTalkByNameAddressAndPath) {
  Context context;
  Socket named(context, bound("tcp://localhost:*"));
  expect_talk(context, named, "tcp://localhost" + port_of(named.bound_endpoint()));
  expect_talk(context, named, named.bound_endpoint());
  Socket all(context, bound("tcp://*:*"));
  expect_talk(context, all, "tcp://127.0.0.1" + port_of(all.bound_endpoint()));
  Socket path(context, bound("ipc://@collage-test-" + std::to_string(getpid())));
  expect_talk(context, path, path.link().endpoint);
}

TEST(Endpoint, SocketsTalkByIpv6) {
  if (!has_ipv6()) GTEST_SKIP() << "this host has no IPv6";
  Context context;
  Socket six(context, bound("tcp://[::1]:*"));
  expect_talk(context, six, six.bound_endpoint());
  Socket both(context, bound("tcp://[::]:*"));
  expect_talk(context, both, "tcp://127.0.0.1" + port_of(both.bound_endpoint()));
}

TEST(Endpoint, WhatAnotherSocketHasIsTaken) {
  Context context;
  Socket first(context, bound("tcp://127.0.0.1:*"));
  const std::string port = port_of(first.bound_endpoint());
  EXPECT_TRUE(is_taken("tcp://127.0.0.1" + port));
  EXPECT_TRUE(is_taken("tcp://localhost" + port));
  EXPECT_TRUE(is_taken("tcp://*" + port));
  EXPECT_FALSE(is_taken("tcp://127.0.0.2" + port));
  EXPECT_THROW(Socket(context, bound(first.bound_endpoint())), ConfigError);
}

// libzmq itself would take the path away from the first.
TEST(Endpoint, APathThatAnotherSocketHasIsTaken) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "taken.sock";
  const std::string endpoint = "ipc://" + file.string();
  Context context;
  EXPECT_FALSE(is_taken(endpoint));
  Socket first(context, bound(endpoint));
  EXPECT_TRUE(is_taken(endpoint));
  EXPECT_THROW(Socket(context, bound(endpoint)), ConfigError);
  expect_talk(context, first, endpoint);
}

}  // namespace
}  // namespace runtime
