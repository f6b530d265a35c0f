#include "runtime/loop/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "runtime/config/config_error.h"

namespace runtime {
namespace {

using Transport = Endpoint::Transport;

constexpr const char* kForm =
    ", expected tcp://HOST:PORT with a port from 1 to 65535 (HOST: a name, 127.0.0.1 or [::1]), or "
    "ipc://PATH";
// The longest path of a UNIX-domain socket; libzmq refuses a longer one without a reason.
constexpr std::size_t kPathMax = sizeof(sockaddr_un::sun_path) - 1;

tl::unexpected<std::string> fault(std::string_view text, const std::string& more) {
  return tl::unexpected("is " + in_quotes(text) + more);
}

bool is_ipv6(const std::string& host) {
  // What follows % is an interface, for addresses of one link.
  in6_addr address{};
  return inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &address) == 1;
}
bool is_ipv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}
bool is_name(const Endpoint& endpoint) {
  return endpoint.transport == Transport::tcp && endpoint.host != "*" && !is_ipv4(endpoint.host) &&
         !is_ipv6(endpoint.host);
}

bool has_form_of_name(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '.' || c == '_';
  });
}

tl::expected<Endpoint, std::string> parse_path(std::string_view text) {
  const std::string_view path = text.substr(6);
  if (path.empty() || path == "@") return fault(text, kForm);
  if (path.size() > kPathMax) {
    return fault(text, ", expected a path of at most " + std::to_string(kPathMax) + " bytes");
  }
  if (path.front() != '/' && path.front() != '@') {
    return fault(text, ", expected an absolute path such as ipc:///run/collage/producers");
  }
  return Endpoint{Transport::ipc, std::string(path), 0};
}

// "HOST:PORT"; `text` is the whole endpoint.
tl::expected<Endpoint, std::string> parse_host(std::string_view text) {
  const std::string_view rest = text.substr(6);
  const std::size_t colon = rest.rfind(':');
  if (colon == rest.npos || colon == 0) return fault(text, kForm);
  Endpoint endpoint{Transport::tcp, std::string(rest.substr(0, colon)), 0};
  const std::string_view port = rest.substr(colon + 1);
  if (port != "*") {
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (error != std::errc{} || end != port.data() + port.size()) return fault(text, kForm);
  }
  std::string& host = endpoint.host;
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(host)) return fault(text, ", expected an IPv6 address between the brackets");
  } else if (host.find(':') != host.npos) {
    return fault(text, is_ipv6(host)
                           ? ", expected brackets: tcp://[" + host + "]:" + std::string(port)
                           : kForm);
  } else if (host != "*" && !has_form_of_name(host)) {
    return fault(text, kForm);
  }
  return endpoint;
}

struct Free {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, Free>;

// The addresses of a host, or why there are none.
tl::expected<Addresses, std::string> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error == 0) return Addresses(list);
  return tl::unexpected("the name " + host + " does not resolve (" + gai_strerror(error) + ")");
}

// IPv4 first: a client without ZMQ_IPV6 would look for nothing else.
const addrinfo& preferred(const Addresses& addresses) {
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    if (one->ai_family == AF_INET) return *one;
  }
  return *addresses;
}

std::string numeric(const addrinfo& address) {
  char text[NI_MAXHOST] = "";
  getnameinfo(address.ai_addr, address.ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return text;
}

std::string tcp_text(const std::string& host, std::uint16_t port) {
  const std::string shown = is_ipv6(host) ? "[" + host + "]" : host;
  return "tcp://" + shown + ":" + (port == 0 ? "*" : std::to_string(port));
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Binds a socket of our own, and forgets it: returns the errno, 0 if it can be bound.
int try_bind(const std::string& host, std::uint16_t port) {
  const bool any = host == "*";
  addrinfo hints{};
  hints.ai_family = any ? AF_INET : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST;
  addrinfo* list = nullptr;
  const std::string service = std::to_string(port);
  if (getaddrinfo(any ? nullptr : host.c_str(), service.c_str(), &hints, &list) != 0) return 0;
  const Addresses addresses(list);
  const Descriptor own(socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (own.get() < 0) return errno;
  const int on = 1;  // As libzmq does: a port whose connections are only winding down is free.
  setsockopt(own.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // libzmq's listener at :: takes IPv4 too, so it needs the port of both.
  const int both = 0;
  if (list->ai_family == AF_INET6) {
    setsockopt(own.get(), IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both);
  }
  return bind(own.get(), list->ai_addr, list->ai_addrlen) == 0 ? 0 : errno;
}

bool path_is_taken(const std::string& path) {
  const Descriptor own(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (own.get() < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  if (path.front() == '@') address.sun_path[0] = '\0';  // An abstract name.
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  return connect(own.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
}

Endpoint valid(const std::string& text) {
  auto endpoint = parse_endpoint(text);
  if (!endpoint) throw ConfigError("endpoint " + endpoint.error());
  return *endpoint;
}

}  // namespace

tl::expected<Endpoint, std::string> parse_endpoint(std::string_view text) {
  if (text.starts_with("tcp://")) return parse_host(text);
  if (text.starts_with("ipc://")) return parse_path(text);
  if (text.starts_with("inproc://") && text.size() > 9) {
    return Endpoint{Transport::inproc, std::string(text.substr(9)), 0};
  }
  return fault(text, kForm);
}

bool is_wildcard(const Endpoint& endpoint) {
  if (endpoint.transport != Transport::tcp) return false;
  return endpoint.host == "*" || endpoint.host == "0.0.0.0" || endpoint.host == "::";
}

std::string fault_of_client_endpoint(std::string_view text) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) return endpoint.error();
  if (endpoint->transport == Transport::inproc) return fault(text, kForm).value();
  if (endpoint->transport != Transport::tcp) return {};
  if (endpoint->host == "*") {
    return fault(text, ", which is for listening; expected the broker's host, such as tcp://" +
                           std::string("127.0.0.1:") + std::to_string(endpoint->port))
        .value();
  }
  return endpoint->port == 0 ? fault(text, kForm).value() : std::string();
}

std::string unresolved(const std::string& text) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint || !is_name(*endpoint)) return {};
  const auto addresses = look_up(endpoint->host);
  return addresses ? std::string() : addresses.error();
}

std::string not_of_this_host(const std::string& text) {
  const Endpoint endpoint = valid(text);
  if (endpoint.transport == Transport::ipc && endpoint.host.front() == '/') {
    const auto folder = std::filesystem::path(endpoint.host).parent_path();
    std::error_code ignored;
    if (std::filesystem::is_directory(folder, ignored)) return {};
    return "there is no folder " + in_quotes(folder.string());
  }
  if (endpoint.transport != Transport::tcp) return {};
  std::string host = endpoint.host;
  if (is_name(endpoint)) {
    const auto addresses = look_up(host);
    if (!addresses) return addresses.error();
    host = numeric(preferred(*addresses));
  }
  if (try_bind(host, 0) != EADDRNOTAVAIL) return {};
  return endpoint.host + " is not an address of this host" +
         (host == endpoint.host ? "" : " (" + host + ")");
}

bool is_taken(const std::string& text) {
  const Endpoint endpoint = valid(text);
  if (endpoint.transport == Transport::ipc) return path_is_taken(endpoint.host);
  if (endpoint.transport != Transport::tcp || endpoint.port == 0) return false;
  std::string host = endpoint.host;
  if (is_name(endpoint)) {
    const auto addresses = look_up(host);
    if (!addresses) return false;
    host = numeric(preferred(*addresses));
  }
  return try_bind(host, endpoint.port) == EADDRINUSE;
}

Dialled to_bind(const std::string& text) {
  const Endpoint endpoint = valid(text);
  if (endpoint.transport == Transport::ipc && path_is_taken(endpoint.host)) {
    // libzmq would take the file away from the process that listens there.
    throw ConfigError(text + ": Address already in use");
  }
  if (endpoint.transport != Transport::tcp) return {text};
  if (!is_name(endpoint)) {
    return {tcp_text(endpoint.host, endpoint.port), is_ipv6(endpoint.host)};
  }
  // libzmq knows the addresses of interfaces by itself.
  if (if_nametoindex(endpoint.host.c_str()) != 0) return {text};
  const auto addresses = look_up(endpoint.host);
  if (!addresses) throw ConfigError(text + ": " + addresses.error());
  const std::string host = numeric(preferred(*addresses));
  return {tcp_text(host, endpoint.port), is_ipv6(host)};
}

Dialled to_connect(const std::string& text) {
  const Endpoint endpoint = valid(text);
  if (endpoint.transport == Transport::inproc) return {text};
  const std::string wrong = fault_of_client_endpoint(text);
  if (!wrong.empty()) throw ConfigError("endpoint " + wrong);
  if (!is_name(endpoint)) return {text, is_ipv6(endpoint.host)};
  const auto addresses = look_up(endpoint.host);
  // With ZMQ_IPV6 libzmq finds IPv4 addresses too, but prefers the others.  So a name that has both
  // is looked up without, and a name that has no address yet with it.
  return {text, !addresses || preferred(*addresses).ai_family == AF_INET6};
}

std::string reached_from_here(const std::string& text) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint || !is_wildcard(*endpoint)) return text;
  return tcp_text(endpoint->host == "::" ? "::1" : "127.0.0.1", endpoint->port);
}

}  // namespace runtime
