#include "tests/gateway/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace gateway {

HttpClient::HttpClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    socket_ = -1;
  }
}

HttpClient::~HttpClient() {
  if (socket_ >= 0) ::close(socket_);
}

HttpClient::HttpClient(HttpClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), in_(std::move(other.in_)) {}

void HttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool HttpClient::fill() {
  pollfd item{socket_, POLLIN, 0};
  if (::poll(&item, 1, 10'000) <= 0) return false;
  char buffer[16 << 10];
  const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
  if (got > 0) in_.append(buffer, static_cast<std::size_t>(got));
  return got > 0;
}

std::string HttpClient::read() {
  std::size_t end = std::string::npos;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::exchange(in_, {});
  }
  std::size_t size = end + 4;
  static constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t at = in_.find(kLength);
  if (at < end) size += std::strtoul(in_.c_str() + at + kLength.size(), nullptr, 10);
  while (in_.size() < size && fill()) {
  }
  std::string response = in_.substr(0, size);
  in_.erase(0, size);
  return response;
}

bool HttpClient::ended() {
  while (fill()) {
  }
  pollfd item{socket_, POLLIN, 0};
  return ::poll(&item, 1, 0) == 1;
}

int status_of(std::string_view response) {
  if (!response.starts_with("HTTP/1.1 ")) return 0;
  return std::atoi(std::string(response.substr(9, 3)).c_str());
}

std::string_view body_of(std::string_view response) {
  const std::size_t end = response.find("\r\n\r\n");
  return end == response.npos ? std::string_view() : response.substr(end + 4);
}

}  // namespace gateway
