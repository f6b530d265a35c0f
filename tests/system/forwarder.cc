#include "tests/system/forwarder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace system_test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

const sockaddr* as_address(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Forwarder::Forwarder(const std::string& server)
    : server_port_(std::stoi(server.substr(server.rfind(':') + 1))),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (listener_ < 0 || bind(listener_, as_address(address), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the forwarder cannot listen");
  }
  endpoint_ = "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

Forwarder::~Forwarder() {
  for (const Pair& pair : pairs_) {
    close(pair.client);
    close(pair.server);
  }
  close(listener_);
}

bool Forwarder::forward(int from, int to, bool passes) {
  std::array<char, 65536> bytes{};
  for (;;) {
    const ssize_t got = recv(from, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN;
    // Blocks while the receiver's buffer is full; both ends read at any time.
    for (ssize_t sent = 0; passes && sent < got;) {
      const ssize_t more =
          send(to, bytes.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
      if (more < 0) return false;
      sent += more;
    }
  }
}

void Forwarder::step() {
  for (int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); client >= 0;
       client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) {
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server_port_);
    if (connect(server, as_address(address), sizeof address) == 0) {
      pairs_.push_back({.client = client, .server = server});
    } else {
      close(client);
      close(server);
    }
  }
  std::erase_if(pairs_, [](const Pair& pair) {
    // An end that is gone is reported where bytes pass.
    const bool client = forward(pair.client, pair.server, pair.to_server) || !pair.to_server;
    const bool server = forward(pair.server, pair.client, pair.to_client) || !pair.to_client;
    if (client && server) return false;
    close(pair.client);
    close(pair.server);
    return true;
  });
}

void Forwarder::swallow(bool to_server, bool to_client) {
  for (Pair& pair : pairs_) {
    pair.to_server = !to_server;
    pair.to_client = !to_client;
  }
}

}  // namespace system_test
