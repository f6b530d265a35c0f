// The sink's dashboard: a web page that shows people what the sink is doing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stages/sink/sink.h"

namespace stages::sink {

// One HTML file without external resources; it asks for /live.json twice a second.
extern const std::string_view kDashboardPage;

// What the page shows, as JSON: the newest batches, latencies, workers, and the sink's figures as
// /metrics has them.  `labels` are the class names; times are in seconds, ages up to `now`.
std::string dashboard_json(const Sink& sink, const std::vector<std::string>& labels,
                           wire::Instant now);

}  // namespace stages::sink
