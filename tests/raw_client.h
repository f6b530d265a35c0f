// A TCP connection to a port of this host, for tests that speak a protocol wrongly.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tests {

class RawClient {
 public:
  // Waits for the connection for at most `connect_ms`, for a server may take none at present.
  explicit RawClient(int port, int connect_ms = 20'000)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const timeval brief{.tv_sec = connect_ms / 1000, .tv_usec = connect_ms % 1000 * 1000};
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof brief);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  RawClient(RawClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
  RawClient& operator=(RawClient&&) = delete;
  ~RawClient() {
    if (socket_ >= 0) ::close(socket_);
  }

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) const {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Waits for the server to say so many bytes or to close the connection; false if it does neither.
  bool stirs(int milliseconds, int bytes = 1) const {
    setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
    pollfd item{socket_, POLLIN, 0};
    return ::poll(&item, 1, milliseconds) > 0;
  }
  // Appends what has come; false if the connection has ended.
  bool receive(std::string& to) const {
    std::array<char, 4096> some{};
    for (;;) {
      const ssize_t got = ::recv(socket_, some.data(), some.size(), MSG_DONTWAIT);
      if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
      to.append(some.data(), static_cast<std::size_t>(got));
    }
  }
  // All that comes until the server ends the connection; nullopt if it does not within 20 s after
  // the last byte.
  std::optional<std::string> rest() const {
    std::string all;
    std::array<char, 4096> some{};
    ssize_t got = 0;
    while ((got = ::recv(socket_, some.data(), some.size(), 0)) > 0) {
      all.append(some.data(), static_cast<std::size_t>(got));
    }
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    return all;
  }

 private:
  int socket_;
  bool connected_ = false;
};

}  // namespace tests
