#include "gateway/door/http_figures.h"

#include <string>
#include <utility>

namespace gateway {

void HttpFigures::responded(std::optional<int> status, wire::Duration duration) {
  const std::lock_guard lock(mutex_);
  status ? ++responses_[*status] : ++gone_;
  durations_.observe(duration);
}

void HttpFigures::opened() {
  const std::lock_guard lock(mutex_);
  ++opened_;
}

void HttpFigures::closed() {
  const std::lock_guard lock(mutex_);
  ++closed_;
}

void HttpFigures::refused() {
  const std::lock_guard lock(mutex_);
  ++refused_;
}

void HttpFigures::add_to(machine::Telemetry& report) const {
  const std::lock_guard lock(mutex_);
  machine::Metric responses{"collage_http_responses_total",
                            "Responses to HTTP requests by status.",
                            machine::Metric::Kind::counter,
                            {}};
  for (const auto& [status, count] : responses_) {
    responses.samples.push_back({{{"status", std::to_string(status)}}, static_cast<double>(count)});
  }
  report.metrics.push_back(std::move(responses));
  report.histogram("collage_http_request_duration_seconds",
                   "Time from the first byte of a request to its response.", durations_);
  report.counter("collage_http_clients_gone_total",
                 "Requests without a response, because their client had gone.", gone_);
  report.gauge("collage_http_connections", "Connections that are open.",
               static_cast<double>(opened_ - closed_));
  report.counter("collage_http_connections_refused_total",
                 "Connections refused because connections_max were open.", refused_);
}

}  // namespace gateway
