// One sentence on the state of the pipeline: the word that stands on top of the sink's page, and
// why.
//
//     NO BROKER    the sink is not joined, or the broker has been silent
//     OVERLOADED   more images come than the s-CNNs can do
//     DEGRADED     a stage is slow or lost, requests were missing or refused, or over a fifth of
//     the
//                  batches go without cover though a collage stage is there
//     OK           none of these
//
// The first that holds counts; all reasons are named.  Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stages/sink/broker_view.h"
#include "stages/sink/history.h"
#include "wire/types.h"

namespace stages::sink {

struct Headline {
  enum class Level : std::uint8_t { ok, degraded, overloaded, no_broker };
  Level level = Level::ok;
  std::vector<std::string> reasons;  // At least one; phrases, without a full stop.
};

// "OK", "DEGRADED", "OVERLOADED" or "NO BROKER".
std::string_view to_string(Headline::Level level);

// `recent` is what the last minute added.  `joined` is whether the broker has welcomed the sink,
// and `heartbeat` how often the broker reports: after ten of them, and at least 5 s, it is silent.
Headline headline(const BrokerView& broker, const History::Counts& recent, bool joined,
                  wire::Duration heartbeat, wire::Instant now);

// The order in which people should look at workers: a larger number first.
int urgency(wire::WorkerState state);

}  // namespace stages::sink
