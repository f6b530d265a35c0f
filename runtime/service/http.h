// What a process says of itself over HTTP, to Prometheus, to a balancer and to people:
//
//   /metrics   its figures
//   /livez     200 while its loops turn, else 503
//   /readyz    200 when it can do its part, else 503 and what is missing, a line each
//   pages of its own
//
// Served by threads of its own, which ask the loops (runtime/visits.h): a loop that is busy with an
// inference is waited for, and one that hangs is what /livez is there to tell.  GET only; a
// connection has one answer and a few seconds.  Made for a private network: a handful of visitors
// that send nothing can hold all threads for that long.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/telemetry.h"

namespace runtime {

struct HttpPage {
  std::string path;  // "/live.json".
  std::string type;  // "application/json".
  // Its text; nullopt if the loop that knows it was deaf.  Called on the server's threads.
  std::function<std::optional<std::string>()> body;
};

class HttpServer {
 public:
  struct Options {
    std::string address;     // To listen at: "127.0.0.1", "::" for all.
    std::uint16_t port = 0;  // 0: any.
    // What the process's loops report together; nullopt if one of them was deaf.
    std::function<std::optional<machine::Telemetry>()> report;
    std::vector<HttpPage> pages;
  };

  // Listens and serves until destroyed.  Throws ConfigError if the address cannot be had.
  explicit HttpServer(Options options);
  ~HttpServer();

  std::uint16_t port() const { return port_; }

 private:
  struct Server;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

}  // namespace runtime
