// The sink's dashboard: a web page that shows people what the sink is doing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stages/sink/sink.h"

namespace stages::sink {

// One HTML file without external resources; it asks for /live.json twice a second, for
// /history.json every five, and for /picture.bin when there is another picture.
extern const std::string_view kDashboardPage;

// What the page shows now, as JSON: the state in a sentence, the newest batches, latencies,
// workers, the last minute's rates, the totals of the broker and of the sink.  `labels` are the
// class names; times are in seconds, ages up to `now`.
std::string dashboard_json(const Sink& sink, const std::vector<std::string>& labels,
                           wire::Instant now);

// The page's strips: of each interval of the history the rates, quantiles of latency, batch fill.
std::string history_json(const Sink& sink, wire::Instant now);

// The number of the newest collage's batch, eight bytes, the most significant first, and its pixels
// as its message had them; empty if there is none.
std::string picture_bytes(const Sink& sink);

}  // namespace stages::sink
