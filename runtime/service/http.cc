#include "runtime/service/http.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "runtime/config/config_error.h"
#include "runtime/service/bounded_server.h"
#include "runtime/service/exposition.h"
#include "runtime/service/version.h"
#include "wire/message.h"

namespace runtime {
namespace {

constexpr std::size_t kBodyBytesMax = 1024;  // GET requests have no body.
constexpr const char* kText = "text/plain; charset=utf-8";
constexpr const char* kBlocked = "a loop of this process is blocked\n";

machine::Metric build_info() {
  return {"collage_build_info",
          "The build of this process; always 1.",
          machine::Metric::Kind::gauge,
          {{{{"version", version()},
             {"commit", commit()},
             {"protocol", std::to_string(wire::kProtocol)}},
            1.0}}};
}

void respond(httplib::Response& response, int status, const std::string& text) {
  response.status = status;
  response.set_content(text, kText);
}

std::string lines(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += text + "\n";
  return out;
}

}  // namespace

std::string metrics_page(machine::Telemetry report, const ProcessFigures& process) {
  report.metrics.push_back(build_info());
  process.add_to(report);
  report.gauge("collage_ready", "1 if the process is ready, else 0.",
               report.not_ready_reasons.empty() ? 1 : 0);
  return exposition(report.metrics);
}

struct HttpServer::Server {
  explicit Server(Options given) : options(std::move(given)) {
    // Replaces the library's SO_REUSEPORT, with which two processes could share a port unnoticed.
    http.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    http.set_payload_max_length(kBodyBytesMax);
    // A page is one file and requests data only from its own server, so nothing else is allowed.
    http.set_default_headers(
        {{"Content-Security-Policy",
          "default-src 'none'; connect-src 'self'; img-src data:; style-src 'unsafe-inline'; "
          "script-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"},
         {"X-Content-Type-Options", "nosniff"},
         {"Cache-Control", "no-store"}});
    http.Get("/metrics", [this](const auto&, httplib::Response& response) { metrics(response); });
    http.Get("/livez", [this](const auto&, httplib::Response& response) {
      options.report() ? respond(response, 200, "alive\n") : respond(response, 503, kBlocked);
    });
    http.Get("/readyz", [this](const auto&, httplib::Response& response) { ready(response); });
    for (const HttpPage& page : options.pages) {
      http.Get(page.path, [&page](const auto&, httplib::Response& response) {
        const auto body = page.body();
        body ? response.set_content(*body, page.type) : respond(response, 503, kBlocked);
      });
    }
  }

  void metrics(httplib::Response& response) {
    auto report = options.report();
    if (!report) return respond(response, 503, kBlocked);
    http.add_to(*report);
    response.set_content(metrics_page(std::move(*report), process), kMetricsType);
  }

  void ready(httplib::Response& response) {
    const auto report = options.report();
    if (!report) return respond(response, 503, kBlocked);
    if (!report->not_ready_reasons.empty())
      return respond(response, 503, lines(report->not_ready_reasons));
    std::vector<std::string> said = {"ready"};
    if (options.about) {
      const auto about = options.about();
      if (!about) return respond(response, 503, kBlocked);
      if (!about->empty()) said.push_back(*about);
    }
    respond(response, 200, lines(said));
  }

  const Options options;
  const ProcessFigures process;
  BoundedServer http;
  std::thread thread;
};

HttpServer::HttpServer(Options options) : server_(std::make_unique<Server>(std::move(options))) {
  const std::string& address = server_->options.address;
  const int given = server_->options.port;
  const int port = given == 0 ? server_->http.bind_to_any_port(address)
                   : server_->http.bind_to_port(address, given) ? given
                                                                : -1;
  if (port < 0) {
    throw ConfigError(
        "http://" + address + ":" + std::to_string(given) +
        ": cannot listen: the port is in use, or this host does not have the address");
  }
  port_ = static_cast<std::uint16_t>(port);
  server_->thread = std::thread([this] { server_->http.serve(); });
}

HttpServer::~HttpServer() {
  server_->http.end();
  server_->thread.join();
}

}  // namespace runtime
