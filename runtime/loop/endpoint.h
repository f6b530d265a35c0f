// Endpoints as users write them: what they mean, what is wrong with them in words that say what to
// write instead, and the form that ZeroMQ can bind or connect.
//
//     tcp://HOST:PORT     HOST: a name, 127.0.0.1, [::1]; to listen also * (every address)
//     ipc://PATH          a socket file of this host; ipc://@NAME needs no file
//     inproc://NAME       two threads of one process
//
// libzmq binds addresses and names of network interfaces, but no names of hosts, and takes IPv6
// only if a socket asks for it.  So names are looked up here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace runtime {

struct Endpoint {
  enum class Transport : std::uint8_t { tcp, ipc, inproc } transport = Transport::tcp;
  std::string host{};  // The host without brackets, the path or the name.
  // 0 ("0" or "*" in the text) lets the system choose a port.
  std::uint16_t port = 0;
};

// Returns the parts of an endpoint, or what is wrong with the text: "is 'host:80', expected ...".
tl::expected<Endpoint, std::string> parse_endpoint(std::string_view text);

// Returns true if a socket that is bound to this host listens at every address: *, 0.0.0.0, ::.
bool is_wildcard(const Endpoint& endpoint);

// Returns what is wrong with an endpoint that clients connect to, as parse_endpoint does; empty if
// nothing is.  Port 0 and `*` are wrong: they tell a client nothing.
std::string fault_of_client_endpoint(std::string_view text);

// Returns why the endpoint's host cannot be found now: "the name x does not resolve (...)"; empty
// if it can be, or needs no look-up.  May block for some seconds.  Requires a valid endpoint.
std::string unresolved(const std::string& text);

// Returns why no socket of this host can be bound to the endpoint, whichever port it has: its name
// does not resolve, its address is another host's, its folder does not exist; empty if nothing is
// known against it.  Requires a valid endpoint.
std::string not_of_this_host(const std::string& text);

// Returns true if a process of this host listens at the endpoint or has its port: to bind it would
// fail or, with ipc://, take the place of the other.  Requires a valid endpoint.
bool is_taken(const std::string& text);

// An endpoint for zmq_bind or zmq_connect.
struct Dialled {
  std::string text;
  bool ipv6 = false;  // The value of ZMQ_IPV6.
};
// The address to bind: a name's first IPv4 address, else its first IPv6 address.  Throws
// ConfigError if the endpoint is not valid, its name does not resolve or its ipc:// path is taken.
Dialled to_bind(const std::string& text);
// A name stays a name, so that libzmq looks it up again with each attempt.  Throws ConfigError if
// the endpoint is not valid.
Dialled to_connect(const std::string& text);

// The endpoint with a wildcard replaced by this host's loopback address: how a process of the host
// reaches what listens at every address.  Other texts are returned as they are.
std::string reached_from_here(const std::string& text);

}  // namespace runtime
