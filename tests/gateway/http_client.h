// A client for tests that sends the bytes it is told to, well-formed or not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gateway {

class HttpClient {
 public:
  // Connects to a port of 127.0.0.1.
  explicit HttpClient(std::uint16_t port);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&&) = delete;

  void send(std::string_view bytes);
  // Reads one response with its body as Content-Length says; what came until the end of the
  // connection, or within ten seconds, if that is less.
  std::string read();
  // True if the server ends the connection within ten seconds; what it still sends is dropped.
  bool ended();

 private:
  bool fill();

  int socket_;
  std::string in_;
};

// The status of a response as text; 0 if it is none.
int status_of(std::string_view response);
std::string_view body_of(std::string_view response);

}  // namespace gateway
