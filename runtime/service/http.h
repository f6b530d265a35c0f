// The HTTP endpoint of a process, for Prometheus, load balancers and people:
//
//   /metrics   the metrics of the process
//   /livez     200 while all loops run, else 503
//   /readyz    200 when the process is ready, with a line about it if there is one, else 503 with
//              the reasons, one per line
//   further pages that the process adds
//
// The server has its own threads and asks the loops by cross-thread calls (loop_calls.h).  A loop
// that is busy with an inference is waited for; a loop that does not answer makes /livez fail.  GET
// only, and no ranges.  A connection gets one answer, and has 2 s and 16 KiB for its request; 64
// are served at once, and more are closed.  Made for a private network: whoever keeps 64
// connections open keeps others out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/telemetry.h"
#include "runtime/service/process_metrics.h"

namespace runtime {

// The page /metrics for what a process reports, with its build and its metrics from the kernel.
std::string metrics_page(machine::Telemetry report, const ProcessFigures& process);
inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// Returns what the machine says; nullopt if its loop was blocked.  Called on the server's threads.
using HttpText = std::function<std::optional<std::string>()>;

struct HttpPage {
  std::string path;  // The path of the URL: "/live.json".
  std::string type;  // The content type: "application/json".
  HttpText body;
};

class HttpServer {
 public:
  struct Options {
    std::string address;     // The address to listen at: "127.0.0.1"; "::" for all addresses.
    std::uint16_t port = 0;  // The port; 0 to let the system choose one.
    // Returns the telemetry of all loops together; nullopt if one of them was blocked.  Called on
    // the server's threads.
    std::function<std::optional<machine::Telemetry>()> report;
    std::vector<HttpPage> pages;
    HttpText about{};  // The line of /readyz about a process that is ready; may be empty.
  };

  // Listens and serves until destroyed.  Throws ConfigError if it cannot listen at the address.
  explicit HttpServer(Options options);
  ~HttpServer();

  // The port in use, also if the system chose it.
  std::uint16_t port() const { return port_; }

 private:
  struct Server;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

}  // namespace runtime
